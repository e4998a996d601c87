"""Cases of `inspect --scrape`: what trackers say of a swarm, and why some say nothing."""
import http.server
import json
import signal
import socket
import struct
import threading

from harness import check, free_port, swarm_size, wait_until


class AnswersAlike:
    """A tracker over HTTP that gives every request the same body."""

    def __init__(self, scene, body, path="/announce"):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # who has read enough hangs up
        self.url = f"http://127.0.0.1:{server.server_port}{path}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        scene.callback(server.server_close)
        scene.callback(server.shutdown)


class UdpTracker:
    """One over UDP that takes connects, and answers scrapes by `reply(transaction)` or not at all."""

    def __init__(self, scene, reply):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.reply, self.scrapes = reply, 0
        self.url = f"udp://127.0.0.1:{self.socket.getsockname()[1]}/announce"
        threading.Thread(target=self.serve, daemon=True).start()
        scene.callback(self.socket.close)

    def serve(self):
        while True:
            try:
                request, client = self.socket.recvfrom(2048)
            except OSError:
                return  # closed
            action, transaction = struct.unpack(">II", request[8:16])
            if action == 0:
                self.socket.sendto(struct.pack(">IIQ", 0, transaction, 1), client)
                continue
            self.scrapes += 1
            reply = self.reply(transaction)
            if reply:
                self.socket.sendto(reply, client)


def scraped(scene, source, *options):
    """(exit code, {tracker: what is told of it}, stderr)"""
    code, out, errors = scene.run("inspect", source, "--scrape", "--json", *options)
    return code, {entry["tracker"]: entry for entry in json.loads(out)["scrape"]}, errors


def counts(entry):
    return entry["seeds"], entry["leechers"], entry["downloaded"]


def by_udp(tracker):
    """Our tracker answers at the same port."""
    return tracker.replace("http:", "udp:")


def add_cases(suite):
    case = suite.case

    @case("a scrape counts the seed by HTTP and by UDP, of a torrent and of its magnet link")
    def _(scene):
        tracker = scene.tracker()
        trackers = [tracker, by_udp(tracker)]
        torrent = scene.publish(scene.media.opus, trackers=trackers)
        told = json.loads(scene.run("inspect", torrent, "--json")[1])
        check("scrape" not in told, "asked without being told to")
        scene.seed(torrent)
        known = bytes.fromhex(told["info_hash_v1"])
        wait_until(lambda: swarm_size(tracker, known) == (1, 0), "the seed announces")
        for source in (torrent, told["magnet"]):
            code, answers, errors = scraped(scene, source)
            check(code == 0 and not errors, f"{code}: {errors}")
            check(set(answers) == set(trackers), str(answers))
            for entry in answers.values():
                check(counts(entry) == (1, 0, 0) and entry["error"] is None, str(entry))
        code, text, _ = scene.run("inspect", torrent, "--scrape", "--interface", "lo")
        check(code == 0, f"exit code {code}: {text}")
        for url in trackers:
            check(f"{url}  1 seed, 0 leechers, 0 completed downloads" in text, text)

    @case("each tracker that tells nothing says why in a line, and one that answers is enough")
    def _(scene):
        refuses = AnswersAlike(scene, b"d14:failure reason8:not heree").url
        garbage = AnswersAlike(scene, b"<html>no tracker</html>").url
        endless = AnswersAlike(scene, b"x" * (2 << 20)).url
        plain = AnswersAlike(scene, b"de", "/tracker").url
        gone = f"http://127.0.0.1:{free_port()}/announce"
        udp_refuses = UdpTracker(scene, lambda t: struct.pack(">II", 3, t) + b"go away").url
        udp_garbage = UdpTracker(scene, lambda t: struct.pack(">III", 2, t, 9)).url
        udp_silent = UdpTracker(scene, lambda t: None).url
        words = {refuses: "tracker refuses: not here", garbage: "tracker's answer: ",
                 endless: "longer than 1024 KiB", plain: 'does not begin with "announce"',
                 gone: "cannot be reached: ", udp_refuses: "tracker refuses: go away",
                 udp_garbage: "counts of a broken length", udp_silent: "no answer by UDP within 2 s"}
        silent = scene.publish(scene.media.opus, trackers=words)
        code, answers, errors = scraped(scene, silent, "--timeout", "2s")
        check(code == 1 and len(errors.splitlines()) == 1, f"{code}: {errors}")
        check(set(answers) == set(words), str(answers))
        for url, why in words.items():
            check(why in (answers[url]["error"] or ""), f"'{why}' is not in {answers[url]}")
            check(counts(answers[url]) == (None, None, None), str(answers[url]))
        good = scene.tracker()
        mixed = scene.publish(scene.media.opus, trackers=[gone, good], name="mixed.torrent")
        code, answers, errors = scraped(scene, mixed)
        check(code == 0 and not errors, f"{code}: {errors}")
        check(counts(answers[good]) == (0, 0, 0), str(answers))

    @case("a torrent without trackers and wrong times are told in one line by a scrape")
    def _(scene):
        torrent = scene.publish(scene.media.opus)
        code, answers, errors = scraped(scene, torrent)
        check(code == 1 and answers == {}, f"{code}: {answers}")
        check(len(errors.splitlines()) == 1 and "--tracker URL" in errors, errors)
        for options in (["--timeout", "0"], ["--timeout", "soon"], ["--interface", "nowhere"]):
            code, out, errors = scene.run("inspect", torrent, "--scrape", *options)
            check(code == 2 and not out and len(errors.splitlines()) == 1, f"{code}: {errors}")

    @case("Ctrl-C ends a scrape with what was told by then")
    def _(scene):
        silent, good = UdpTracker(scene, lambda t: None), scene.tracker()
        torrent = scene.publish(scene.media.opus, trackers=[silent.url, good])
        asking = scene.start("inspect", [scene.tributary, "inspect", torrent, "--scrape",
                                         "--timeout", "1h"])
        asking.wait_for("0 seeds, 0 leechers")
        wait_until(lambda: silent.scrapes > 0, "the other is asked")
        asking.kill(signal.SIGINT)
        code = asking.wait()
        check(code == 0, f"exit code {code}: {asking.output()}")
        check(f"{silent.url}  stopped before it answered" in asking.output(), asking.output())
