"""An HLS stream through the gateway: what the CDN is spared, and whether the player ran dry."""
import os
import re
import time
import urllib.request

from common import encode, percent, table
from harness import check

SEGMENT_S = 4
BUFFER_S = 12  # the player asks for no more ahead
SEEDS = 3
SEED_RATE = "800k"  # together twice what the stream needs


def stream(folder, length_s):
    """Noise as FLAC: the bytes of a film, without the work of encoding one."""
    encode(f"anoisesrc=a=0.5:d={length_s}:r=48000:seed=1", "-c:a", "flac", "-strict",
           "experimental", "-f", "hls", "-hls_time", str(SEGMENT_S), "-hls_segment_type", "fmp4",
           "-hls_playlist_type", "vod", os.path.join(folder, "index.m3u8"))


def fetch(url):
    with urllib.request.urlopen(url, timeout=60) as reply:
        return reply.read()


def play(url):
    """In real time: takes a segment whole, then plays it after the one before. (bytes, startup s, s
    stalled)"""
    begun = time.monotonic()
    text = fetch(url).decode()
    segments = re.findall(r"#EXTINF:([\d.]+),.*\n(?:#.*\n)*(http\S+)", text)
    check(segments, text)
    received, stalled, startup = 0, 0.0, None
    ends = None  # when all that was received will have been played
    for duration, segment in segments:
        now = time.monotonic()
        if ends and ends - now > BUFFER_S:
            time.sleep(ends - now - BUFFER_S)
        received += len(fetch(segment))
        now = time.monotonic()
        if ends is None:
            startup = now - begun
        else:
            stalled += max(0.0, now - ends)
        ends = max(ends or now, now) + float(duration)
    return received, startup, stalled


def run(bench):
    length_s = 16 if bench.quick else 60
    folder = bench.folder("stream")
    stream(folder, length_s)
    _, edge = bench.origin("--rate", "20M", folder=bench.dir)
    torrent = bench.publish(folder, edges=[edge])
    peers = [bench.seed(torrent, data=bench.dir, extra=("--up", SEED_RATE))[1] for _ in range(SEEDS)]
    options = [word for peer in peers for word in ("--peer", peer)]
    gateway, address = bench.serve("gateway", torrent, "--listen", "127.0.0.1:0", *options)
    path = gateway.wait_for(r"play http://[^/]+(/\S+)").group(1)
    playlist = fetch(f"http://{address}{path}").decode().split()[-1]
    received, startup, stalled = play(playlist)
    metrics = fetch(f"http://{address}/metrics").decode()

    def metric(name):
        return sum(map(float, re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", metrics, re.M)))
    cdn, from_peers = metric("tributary_cdn_bytes_total"), metric("tributary_peer_received_bytes_total")
    rate = received * 8 / length_s / 1e6
    table("An HLS stream through the gateway", "tests/bench/run hls", [
        f"{length_s} s of {rate:.2f} Mbit/s in segments of {SEGMENT_S} s, played in real time with "
        f"{BUFFER_S} s of buffer, each segment taken whole; {SEEDS} seeds of {SEED_RATE}bit/s each and a CDN."],
        ["offload", "CDN kB", "startup s", "stalled s"],
        [[percent(from_peers, from_peers + cdn), f"{cdn / 1e3:,.0f}", f"{startup:.2f}", f"{stalled:.2f}"]])
