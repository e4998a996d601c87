"""Start-up against curl, from the same nginx."""
import contextlib
import os
import select
import statistics
import subprocess
import time

import clients
from common import bit_rate, table
from net import Access, Loopback, Net

# A listener at home, 50 ms there and back from the CDN and 30 ms from the seeds.
HOSTS = [Access(up=5_000_000, down=10_000_000, delay_ms=5),
         Access(up=1_000_000_000, down=1_000_000_000, delay_ms=20),
         Access(up=1_000_000_000, down=1_000_000_000, delay_ms=10)]
CLIENT, SERVERS, SEEDS = range(3)  # their places in the net
LIMIT_K = 1250  # nginx's limit_rate, KiB/s on each connection
PEERS = (0, 1, 8)
MEDIA_S = 2  # of media that must be in hand
ONE_RUN_S = 60


def head_bytes(path):
    """The bytes up to the end of the packets of the first MEDIA_S seconds."""
    out = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "a:0", "-show_entries",
                          "packet=pts_time,pos", "-of", "csv=p=0", "-read_intervals", "%+5", path],
                         check=True, capture_output=True, text=True).stdout
    packets = [(float(time_), int(pos)) for time_, pos in
               (line.split(",")[:2] for line in out.split()) if pos.isdigit()]
    last = max(pos for at, pos in packets if at < MEDIA_S)
    return min(pos for _, pos in packets if pos > last)


def read_until(process, stream, enough):
    """Reads until enough(bytes so far) holds; the seconds left count from the caller's start."""
    data, end = b"", time.monotonic() + ONE_RUN_S
    while not enough(data):
        ready, _, _ = select.select([stream], [], [], max(0, end - time.monotonic()))
        part = os.read(stream.fileno(), 65536) if ready else b""
        if not part:
            raise AssertionError(f"{process.args[0]} gave only {len(data)} bytes: {data[-200:]!r}")
        data += part


def curl_bytes(url, wanted):
    start = time.monotonic()
    with subprocess.Popen(["curl", "-s", url], stdout=subprocess.PIPE, bufsize=0) as curl:
        read_until(curl, curl.stdout, lambda data: len(data) >= wanted)
        took = time.monotonic() - start
        curl.kill()
    return took


def curl_frame(url):
    start = time.monotonic()
    with subprocess.Popen(["curl", "-s", url], stdout=subprocess.PIPE) as curl, \
            subprocess.Popen(["ffmpeg", "-v", "error", "-i", "-", "-frames:a", "1", "-f", "s16le",
                              "-"], stdin=curl.stdout, stdout=subprocess.PIPE, bufsize=0) as ffmpeg:
        read_until(ffmpeg, ffmpeg.stdout, lambda data: data)
        took = time.monotonic() - start
        curl.kill()
        ffmpeg.kill()
    return took


def ours(bench, net, torrent, wanted):
    """(seconds to the bytes, seconds to the frame)"""
    start, times = time.monotonic(), {}
    with subprocess.Popen([bench.program("startup_probe"), torrent, str(wanted),
                           f"{net.address(CLIENT)}:0"], stdout=subprocess.PIPE, text=True) as probe:
        for line in probe.stdout:
            times[line.split()[0]] = time.monotonic() - start
    if probe.returncode != 0:
        raise AssertionError(f"startup_probe exited with {probe.returncode}")
    return times["have"], times["frame"]


def process_start(bench, runs):
    """Median seconds that our program takes to be loaded and to end at once."""
    def once():
        start = time.monotonic()
        subprocess.run([bench.program("startup_probe")], stderr=subprocess.DEVNULL, check=False)
        return time.monotonic() - start
    return statistics.median(once() for _ in range(runs))


def set_up(bench, net, folder):
    """({media: url}, {(media, peers): torrent})"""
    names, torrents = ("music.opus", "video.flac"), {}
    with net.at(SERVERS):
        host = net.address(SERVERS)
        url = clients.start_nginx(bench, folder, f"limit_rate {LIMIT_K}k;", host=host)
        trackers = {peers: f"http://{bench.serve('tracker', '--listen', f'{host}:0')[1]}/announce"
                    for peers in PEERS}
    for peers in PEERS:
        for name in names:
            torrents[name, peers] = bench.publish(
                f"{folder}/{name}", edges=[url], trackers=[trackers[peers]],
                name=f"{host}-{peers}-{name}.torrent")
        with net.at(SEEDS):
            for _ in range(peers):
                bench.serve("seed", *(torrents[name, peers] for name in names), "--data", folder,
                            "--listen", f"{net.address(SEEDS)}:0", "--up", "2M")
    return {name: url + name for name in names}, torrents


def measure(bench, net, media, wanted, url, torrents, runs):
    """({client: seconds to the bytes}, {client: seconds to the frame}), a list of each"""
    bytes_, frames = {}, {}
    for _ in range(runs):
        net.settle()
        bytes_.setdefault("curl", []).append(curl_bytes(url, wanted))
        net.settle()
        frames.setdefault("curl", []).append(curl_frame(url))
        for peers in PEERS:
            net.settle()
            have, frame = ours(bench, net, torrents[media, peers], wanted)
            bytes_.setdefault(peers, []).append(have)
            frames.setdefault(peers, []).append(frame)
    return bytes_, frames


def row(label, who, bytes_, frames):
    have, frame = (statistics.median(times[who]) for times in (bytes_, frames))
    base = [statistics.median(times["curl"]) for times in (bytes_, frames)]
    spread = f"{min(bytes_[who]):.3f} … {max(bytes_[who]):.3f}"
    name = "curl (and curl \\| ffmpeg)" if who == "curl" else f"tributary, {who} peers"
    return [*label, name, f"{have:.3f} s", spread, f"{have / base[0]:.2f}", f"{frame:.3f} s",
            f"{frame / base[1]:.2f}"]


def rows_of(bench, net, label, folder, runs):
    urls, torrents = set_up(bench, net, folder)
    rows = []
    for media, url in urls.items():
        wanted = head_bytes(f"{folder}/{media}")
        rate = bit_rate(f"{folder}/{media}", 60)
        name = f"{media.split('.')[0]} ({rate / 1e3:.0f} kbit/s, {wanted:,} bytes)"
        with net.at(CLIENT):
            times = measure(bench, net, media, wanted, url, torrents, runs)
        rows += [row((label, name), who, *times) for who in ("curl", *PEERS)]
    return rows


def run(bench):
    runs = 3 if bench.quick else 25
    folder, rows = bench.tracks(60), []
    for label, make in (("10/5 Mbit/s, 50 ms", lambda: Net(bench, HOSTS)), ("loopback", Loopback)):
        with contextlib.closing(make()) as net:
            rows += rows_of(bench, net, label, folder, runs)
    table("Start-up against curl", "tests/bench/run startup", [
        f"Medians of {runs} alternating runs, wall time from before the process is started, taken "
        "by one observer. One nginx gives "
        f"{LIMIT_K} KiB/s to each connection.",
        "Over a link of 10/5 Mbit/s by tests/bench/tun_link.cpp, 50 ms there and back from nginx "
        "and the tracker, 30 ms from the seeds; and on loopback, without delay.",
        f"In hand: the file's bytes up to the end of the packets of its first {MEDIA_S} s; for "
        "tributary verified, in whole blocks of 16 KiB. First frame: decoded; the rival is "
        "`curl URL | ffmpeg -i - -frames:a 1`.",
        f"Of tributary's times {process_start(bench, runs) * 1e3:.0f} ms are the loading of the "
        "program and its libraries (the same program without arguments).",
        "Peers: seeds of 2 Mbit/s each, found through the tracker. The aim is a ratio of at most "
        "1.05, with peers no slower than without."],
        ["link", "media", "client", "in hand", "min … max", "÷ curl", "first frame", "÷ curl"],
        rows)
