"""The gateway: what any player, a script, a metrics server and a foreign page get from it."""
import concurrent.futures
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import socket
import subprocess
import urllib.request
import wave

from harness import Skipped, check, decoded, read, wait_until, wav_pcm, write

NODE_MODULES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(
    __file__)))), "build", "rivals", "node_modules")
READERS = 100
NOISE = 3_000_000  # bytes
ONE_SECOND = 44_100 * 4  # bytes of sound


class Gateway:
    """A running gateway of torrents, and the requests of a test. It fetches for readers that are far
    faster than the media, so that nobody waits for a CDN that is alone and takes its time."""

    def __init__(self, scene, *torrents, listen="127.0.0.1:0", extra=()):
        self.process, self.address = scene.serve("gateway", *torrents, "--listen", listen,
                                                 "--reading-rate", "100M", *extra)
        self.port = int(self.address.rsplit(":", 1)[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def ask(self, path, method="GET", body=None, **headers):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        reply = connection.getresponse()
        result = reply.status, reply.headers, reply.read()
        connection.close()
        return result

    def files(self, **headers):
        """The paths of the tracks, from the playlist."""
        status, headers, body = self.ask("/playlist.m3u8", **headers)
        check(status == 200 and "mpegurl" in headers["Content-Type"], f"{status} {headers}")
        lines = [line for line in body.decode().splitlines() if not line.startswith("#")]
        return [line.split(str(self.port), 1)[1] for line in lines]

    def metric(self, name):
        text = self.ask("/metrics")[2].decode()
        return sum(float(value) for value in
                   re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.M))


def noise(scene):
    """A sound of NOISE bytes, of CD quality."""
    path = scene.path("noise.wav")
    with wave.open(path, "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(random.Random(5).randbytes(NOISE))
    return path


def add_cases(suite):
    case = suite.case

    @case("any range of a file that the gateway serves is the file's, from CDN and peers")
    def _(scene):
        media = scene.media.flac
        _, edge = scene.origin()
        torrent = scene.publish(media, edges=[edge])
        _, peer = scene.seed(torrent)
        gateway = Gateway(scene, torrent, extra=("--peer", peer))
        whole, path = read(media), gateway.files()[0]
        status, headers, body = gateway.ask(path)
        check(status == 200 and body == whole, f"{status}, {len(body)} bytes")
        check(headers["Content-Type"] == "audio/flac", str(headers))
        check(headers["Accept-Ranges"] == "bytes", str(headers))
        draw = random.Random(1)
        for _ in range(20):
            begin = draw.randrange(len(whole))
            end = min(len(whole) - 1, begin + draw.choice((0, 1, 1000, 300_000)))
            status, headers, body = gateway.ask(path, Range=f"bytes={begin}-{end}")
            check(status == 206 and body == whole[begin:end + 1], f"{begin}-{end}: {status}")
            check(headers["Content-Range"] == f"bytes {begin}-{end}/{len(whole)}", str(headers))
        status, _, body = gateway.ask(path, Range="bytes=-777")
        check(status == 206 and body == whole[-777:], "the last bytes")
        etag = headers["ETag"]
        check(gateway.ask(path, If_None_Match=etag)[0] == 304, "an entity tag is known again")
        check(gateway.ask(path, If_Range='"other"', Range="bytes=0-9")[0] == 200, "If-Range")
        status, headers, body = gateway.ask(path, method="HEAD")
        check(status == 200 and int(headers["Content-Length"]) == len(whole) and not body, "HEAD")

    @case("what the gateway cannot serve is told in one line, with the right status")
    def _(scene):
        _, edge = scene.origin()
        torrent = scene.publish(scene.media.opus, edges=[edge])
        gateway = Gateway(scene, torrent)
        path = gateway.files()[0]
        root = path.rsplit("/", 1)[0]
        host = f"127.0.0.1:{gateway.port}"
        for status, ask in (
                (416, lambda: gateway.ask(path, Range="bytes=99999999-")),
                (404, lambda: gateway.ask(root + "/gone")),
                (404, lambda: gateway.ask("/t/" + "0" * 40 + "/x")),
                (404, lambda: gateway.ask(root + "/..%2f..%2f..%2fetc%2fpasswd")),
                (404, lambda: gateway.ask("/t/%zz/%")),
                (404, lambda: gateway.ask("/nothing")),
                (405, lambda: gateway.ask(path, method="PUT")),
                (421, lambda: gateway.ask(path, Host="evil.example")),
                (403, lambda: gateway.ask(path, Host=host, Origin="http://evil.example")),
                (403, lambda: gateway.ask(path, Host=host, Sec_Fetch_Site="cross-site"))):
            got, headers, body = ask()
            check(got == status, f"{got}, not {status}: {body}")
            check(len(body.decode().splitlines()) == 1, f"{status}: {body}")
            check(headers["X-Content-Type-Options"] == "nosniff", str(headers))
        # Malformed ranges are ignored, as RFC 9110 lets them be.
        for text in ("bytes=", "bytes=a-b", "bytes=5-1", "lines=1-2", "bytes=0-1,5-6"):
            check(gateway.ask(path, Range=text)[0] == 200, text)
        check(gateway.process.alive(), "the gateway lives")

    @case("the gateway listens to others than this machine only for a token")
    def _(scene):
        _, edge = scene.origin()
        torrent = scene.publish(scene.media.opus, edges=[edge])
        gateway = Gateway(scene, torrent, listen="0.0.0.0:0")
        shown = gateway.process.wait_for(r"token=(\S+)").group(1)
        check(len(shown) == 32, shown)
        for path in ("/", "/playlist.m3u8", "/metrics", "/api/events"):
            status, headers, _ = gateway.ask(path)
            check(status == 401 and headers["WWW-Authenticate"] == "Bearer", f"{path}: {status}")
        status, headers, playlist = gateway.ask(f"/playlist.m3u8?token={shown}")
        check(status == 200 and f"?token={shown}".encode() in playlist, str(playlist))
        check(gateway.ask("/playlist.m3u8", Authorization=f"Bearer {shown}")[0] == 200, "Bearer")
        check(gateway.ask("/playlist.m3u8", Authorization="Bearer no")[0] == 401, "a wrong one")
        _, headers, _ = gateway.ask(f"/?token={shown}")
        cookie = headers["Set-Cookie"].split(";")[0]
        check(gateway.ask("/api/tracks", Cookie=cookie)[0] == 200, "the cookie stands for it")
        track = playlist.decode().splitlines()[-1]
        with urllib.request.urlopen(track, timeout=20) as reply:
            check(reply.read() == read(scene.media.opus), "the track of the playlist")

    @case("a client that hangs up takes its demand with it")
    def _(scene):
        media = noise(scene)
        torrent = scene.publish(media)  # nobody has it: all who read wait
        gateway = Gateway(scene, torrent)
        path = gateway.files()[0]
        clients = [socket.create_connection(("127.0.0.1", gateway.port)) for _ in range(5)]
        for client in clients:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wait_until(lambda: gateway.metric("tributary_readers_waiting") == 5, "five wait")
        for client in clients:
            client.close()
        wait_until(lambda: gateway.metric("tributary_readers") == 0, "no demand is left")
        check(gateway.metric("tributary_gateway_streams") == 0, "no stream is left")

    @case("what the CDN was asked for a client that hung up is cancelled")
    def _(scene):
        media = noise(scene)
        _, edge = scene.origin("--rate", "800k", folder=scene.dir)
        torrent = scene.publish(media, edges=[edge])
        gateway = Gateway(scene, torrent)
        path = gateway.files()[0]
        client = socket.create_connection(("127.0.0.1", gateway.port))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wait_until(lambda: gateway.metric("tributary_cdn_bytes_total") > 0, "the first bytes")
        client.close()
        wait_until(lambda: gateway.metric("tributary_readers") == 0, "no demand is left")
        asked = gateway.metric("tributary_cdn_bytes_total")
        # A megabyte at 800 kbit/s would take ten seconds; three show that it does not come.
        try:
            wait_until(lambda: gateway.metric("tributary_cdn_bytes_total") > asked + 65_536,
                       "more", limit=3)
        except AssertionError:
            return
        raise AssertionError("the CDN goes on for nobody")

    @case("a hundred readers at once each get what they ask for")
    def _(scene):
        media = noise(scene)
        _, edge = scene.origin(folder=scene.dir)
        torrent = scene.publish(media, edges=[edge])
        gateway = Gateway(scene, torrent)
        whole, path = read(media), gateway.files()[0]

        def get(number):
            begin = number * 20_000
            return gateway.ask(path, Range=f"bytes={begin}-")[2] == whole[begin:]
        with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
            right = list(pool.map(get, range(READERS)))
        check(all(right), f"{right.count(True)} of {READERS} are right")
        check(gateway.metric("tributary_wasted_bytes_total") == 0, "nothing came twice")
        fetched = gateway.metric("tributary_cdn_bytes_total")
        check(fetched == len(whole), f"{fetched} bytes for a file of {len(whole)}")

    @case("ffmpeg decodes from the gateway, and seeks in it")
    def _(scene):
        for media in (scene.media.flac, scene.media.mp4):
            _, edge = scene.origin()
            torrent = scene.publish(media, edges=[edge], name=os.path.basename(media) + ".torrent")
            _, peer = scene.seed(torrent)
            gateway = Gateway(scene, torrent, extra=("--peer", peer))
            url = gateway.url + gateway.files()[0]
            pcm = subprocess.run(["ffmpeg", "-v", "error", "-i", url, "-f", "s16le", "-c:a",
                                  "pcm_s16le", "-"], check=True, capture_output=True).stdout
            check(pcm == decoded(media), "the same sound as from the file")
            part = ["-f", "s16le", "-c:a", "pcm_s16le", "-t", "2", "-"]
            there = [subprocess.run(["ffmpeg", "-v", "error", "-ss", "15", "-i", source, *part],
                                    check=True, capture_output=True).stdout
                     for source in (url, media)]
            check(there[0] == there[1] and there[0], "the same two seconds after a seek")

    @case("mpv, VLC and ffplay play from the gateway, and seek in it",
          needs=("mpv", "cvlc", "ffplay"))
    def _(scene):
        _, edge = scene.origin()
        torrent = scene.publish(scene.media.flac, edges=[edge])
        gateway = Gateway(scene, torrent)
        url = gateway.url + gateway.files()[0]
        whole = decoded(scene.media.flac)

        def mpv(*options):
            subprocess.run(["mpv", "--no-config", "--really-quiet", "--no-video", "--ao=pcm",
                            f"--ao-pcm-file={scene.path('mpv.wav')}", "--audio-format=s16",
                            *options, url], check=True)
            return wav_pcm(scene.path("mpv.wav"))
        check(mpv() == whole, "mpv: the same sound as from the file")
        part = mpv("--hr-seek=yes", "--start=15", "--length=1")
        at = whole.find(part[:4096]) / ONE_SECOND
        check(abs(at - 15) < 0.1 and abs(len(part) - ONE_SECOND) < ONE_SECOND / 10,
              f"mpv: {len(part)} bytes from {at} s on")
        # VLC refuses root.
        nobody = {"user": "nobody"} if os.geteuid() == 0 else {}
        heard = subprocess.run(
            ["cvlc", "--quiet", "--no-video", "--sout",
             "#transcode{acodec=s16l,channels=2,samplerate=44100}:std{access=file,mux=wav,dst=-}",
             url, "vlc://quit"], check=True, capture_output=True, **nobody,
            env={**os.environ, "HOME": "/nonexistent"}).stdout
        check(heard[heard.index(b"data") + 8:] == whole, "VLC: the same sound as from the file")
        before = gateway.metric("tributary_gateway_sent_bytes_total")
        subprocess.run(["ffplay", "-v", "error", "-nodisp", "-autoexit", "-ss", "15", "-t", "1", url],
                       check=True, env={**os.environ, "SDL_AUDIODRIVER": "dummy"})
        check(gateway.metric("tributary_gateway_sent_bytes_total") > before, "ffplay was served")

    @case("an HLS stream out of a torrent plays, though its playlist names the CDN")
    def _(scene):
        folder = scene.folder("hls")
        subprocess.run(["ffmpeg", "-v", "error", "-i", scene.media.opus, "-t", "12", "-c:a", "aac", "-f", "hls",
                        "-hls_time", "4", "-hls_playlist_type", "vod",
                        os.path.join(folder, "index.m3u8")], check=True)
        local = scene.path("local.m3u8")
        shutil.copytree(folder, scene.path("copy"))
        shutil.copy(os.path.join(folder, "index.m3u8"), local)
        _, edge = scene.origin(folder=scene.dir)
        playlist = re.sub(rb"(?m)^(index\d+\.ts)$", (edge + "hls/").encode() + rb"\1", read(local))
        write(os.path.join(folder, "index.m3u8"), playlist)
        torrent = scene.publish(folder, edges=[edge])
        gateway = Gateway(scene, torrent)
        paths = gateway.files()
        check(len(paths) == 1 and paths[0].endswith("/index.m3u8"), str(paths))
        status, headers, body = gateway.ask(paths[0])
        check(status == 200 and "mpegurl" in headers["Content-Type"], f"{status} {headers}")
        check(edge.encode() not in body and gateway.url.encode() in body, body.decode())
        pcm = [subprocess.run(["ffmpeg", "-v", "error", "-i", source, "-f", "s16le", "-c:a",
                               "pcm_s16le", "-"], check=True, capture_output=True).stdout
               for source in (gateway.url + paths[0],
                              scene.path("copy", "index.m3u8"))]
        check(pcm[0] == pcm[1] and pcm[0], "the same sound as from the files")

    @case("only the first segment of an HLS stream begins at the CDN where peers have it all")
    def _(scene):
        folder = scene.folder("hls")
        subprocess.run(["ffmpeg", "-v", "error", "-i", scene.media.mp4, "-c", "copy", "-f", "hls",
                        "-hls_time", "4", "-hls_segment_type", "fmp4", "-hls_playlist_type", "vod",
                        os.path.join(folder, "index.m3u8")], check=True)
        _, edge = scene.origin(folder=scene.dir)
        torrent = scene.publish(folder, edges=[edge])
        _, peer = scene.seed(torrent, data=scene.dir)
        gateway = Gateway(scene, torrent, extra=("--peer", peer))
        # Known before, so that none of it is asked of the CDN for want of a peer.
        wait_until(lambda: gateway.ask(gateway.files()[0])[0] == 200 and
                   gateway.metric("tributary_peers") > 0, "the peer is there")
        playlist = gateway.ask(gateway.files()[0])[2].decode()
        segments = re.findall(r"^http\S+", playlist, re.M)
        check(len(segments) >= 6, playlist)
        before = gateway.metric("tributary_cdn_bytes_total")
        sizes = []
        for segment in segments:
            body = gateway.ask(segment.split(str(gateway.port), 1)[1])[2]
            check(body == read(os.path.join(folder, segment.rsplit("/", 1)[1])), segment)
            sizes.append(len(body))
        cdn = gateway.metric("tributary_cdn_bytes_total") - before
        check(cdn <= sizes[0], f"{cdn} bytes from the CDN; the segments have {sizes}")

    @case("the gateway's metrics are what promtool expects", needs=("promtool",))
    def _(scene):
        _, edge = scene.origin()
        torrent = scene.publish(scene.media.opus, edges=[edge])
        gateway = Gateway(scene, torrent)
        gateway.ask(gateway.files()[0])
        status, headers, text = gateway.ask("/metrics")
        check(status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4"),
              str(headers))
        judged = subprocess.run(["promtool", "check", "metrics"], input=text, check=False,
                                capture_output=True)
        said = judged.stdout + judged.stderr
        check(judged.returncode == 0 and not said, said.decode())
        size = os.path.getsize(scene.media.opus)
        check(gateway.metric("tributary_gateway_sent_bytes_total") == size, text.decode())
        dashboard = json.loads(read(os.path.join(os.path.dirname(__file__), "..", "..", "demo",
                                                 "grafana-dashboard.json")))
        names = set(re.findall(r"tributary_[a-z_]+", json.dumps(dashboard["panels"])))
        known = set(re.findall(r"^# TYPE (\S+)", text.decode(), re.M))
        check(names and names <= known, f"unknown: {names - known}")

    @case("settings change what a running gateway does, and only its own page or a program may")
    def _(scene):
        _, edge = scene.origin()
        torrent = scene.publish(scene.media.opus, edges=[edge])
        gateway = Gateway(scene, torrent, extra=("--policy", "peers-only", "--token", "word"))

        def change(body, **headers):
            named = {"Content_Type": "application/json", "Authorization": "Bearer word", **headers}
            return gateway.ask("/api/settings", "POST", json.dumps(body).encode(), **named)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            path = gateway.files(Authorization="Bearer word")[0].split("?")[0]
            track = pool.submit(gateway.ask, path, Authorization="Bearer word")
            for status, ask in (
                    (401, lambda: change({}, Authorization="Bearer no")),
                    (403, lambda: change({}, Sec_Fetch_Site="same-site")),
                    (403, lambda: change({}, Origin="http://evil.example")),
                    (415, lambda: change({}, Content_Type="text/plain")),
                    (400, lambda: change([])),
                    (400, lambda: change({"policy": "magic"})),
                    (400, lambda: change({"down_bps": 999})),
                    (400, lambda: change({"volume": 11})),
                    (405, lambda: gateway.ask("/api/settings", Authorization="Bearer word"))):
                got, _, body = ask()
                check(got == status, f"{got}, not {status}: {body}")
                check(len(body.decode().splitlines()) == 1, f"{status}: {body}")
            check(not track.done(), "peers alone have nothing")
            status, _, body = change({"policy": "adaptive", "down_bps": 4_000_000, "upload": False})
            check(status == 200 and json.loads(body) == {"policy": "adaptive", "up_bps": 0,
                                                         "down_bps": 4_000_000, "upload": False}, body)
            check(track.result(20)[2] == read(scene.media.opus), "the CDN may be asked now")

    @case("the dashboard's page is whole, strict and fed with events")
    def _(scene):
        _, edge = scene.origin()
        torrent = scene.publish(scene.media.opus, edges=[edge])
        gateway = Gateway(scene, torrent)
        status, headers, body = gateway.ask("/")
        check(status == 200 and b"<main>" in body, f"{status}")
        check("script-src 'self'" in headers["Content-Security-Policy"] and
              "unsafe" not in headers["Content-Security-Policy"], str(headers))
        for path in re.findall(rb'(?:href|src)="(/[^"]+)"', body):
            check(gateway.ask(path.decode())[0] == 200, path.decode())
        tracks = json.loads(gateway.ask("/api/tracks")[2])
        check(gateway.ask(tracks[0]["url"])[2] == read(scene.media.opus), str(tracks))
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
        connection.request("GET", "/api/events")
        reply = connection.getresponse()
        check(reply.headers["Content-Type"] == "text/event-stream", str(reply.headers))
        lines = [reply.readline().decode() for _ in range(4)]
        check(lines[0] == "event: state\n", str(lines))
        state = json.loads(lines[1].removeprefix("data: "))
        check(state["torrents"][0]["name"] == "tone.opus", str(state))
        check(set(state["torrents"][0]["pieces"]) == {"4"}, state["torrents"][0]["pieces"])
        connection.close()
        digest = hashlib.sha256(read(torrent)).hexdigest()  # a torrent that is no file of it
        check(gateway.ask(f"/t/{digest}/x")[0] == 404, "another hash")

    @case("the dashboard plays, seeks, fits each screen and survives a restart",
          needs=("chromium", "node"), limit=90)
    def _(scene):
        if not os.path.isdir(os.path.join(NODE_MODULES, "playwright-core")):
            raise Skipped("playwright-core is not installed")
        _, edge = scene.origin()
        torrent = scene.publish(scene.media.opus, edges=[edge])
        _, peer = scene.seed(torrent)
        gateway = Gateway(scene, torrent, extra=("--peer", peer))
        shots = os.environ.get("TRIBUTARY_SCREENSHOTS") or scene.folder("shots")
        page = scene.start("page", ["node", os.path.join(os.path.dirname(__file__), "page.cjs"),
                                    gateway.url + "/", shots],
                           env={**os.environ, "NODE_PATH": NODE_MODULES}, stdin=subprocess.PIPE)
        page.wait_for(r"restart\n|failed: .*", limit=60)
        check("restart\n" in page.output(), page.output())
        gateway.process.stop()
        Gateway(scene, torrent, listen=gateway.address, extra=("--peer", peer))
        page.popen.stdin.write(b"restarted\n")
        page.popen.stdin.close()
        page.wait(40)
        said = page.output().split("\n")
        check(said[:-1] == ["plays", "seeks", "pauses", "shows", "applies", "fits", "restart", "goes on",
                            "done"], page.output())
