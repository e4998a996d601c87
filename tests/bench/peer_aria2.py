#!/usr/bin/python3
"""One side of a transfer with aria2; prints one JSON line of costs, as wire_bench does.

peer_aria2.py seed TORRENT FOLDER            until its standard input ends
peer_aria2.py leech TORRENT FOLDER PORT      until it has all, from 127.0.0.1:PORT

A last word "encrypted" has all connections in RC4. A leech's costs include those of its start.
"""
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from common import harness

POLL_S = 0.02
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
# In the clear where nothing else is said, no discovery, no limits, as much in memory as ours has.
OPTIONS = ["--no-conf", "--interface=127.0.0.1", "--enable-dht=false", "--enable-dht6=false",
           "--bt-enable-lpd=false", "--enable-peer-exchange=false", "--bt-max-peers=0",
           "--file-allocation=none", "--disk-cache=64M", "--quiet=true", "--summary-interval=0",
           f"--stop-with-process={os.getpid()}"]
ENCRYPTED = ["--bt-require-crypto=true", "--bt-min-crypto-level=arc4"]


def one_peer_tracker(port):
    """The URL of a tracker that names that peer, for aria2 takes peers from nobody else."""
    answer = b"d8:intervali1800e5:peers6:" + socket.inet_aton("127.0.0.1") + \
        port.to_bytes(2, "big") + b"e"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/announce"


class Costs:
    """Those of a process, as last seen."""

    def __init__(self, process):
        self.process, self.start = process, time.monotonic()
        self.cpu_s = self.peak_kib = 0

    def look(self):
        try:
            with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
                user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
                peak = [line for line in status if line.startswith("VmHWM:")]
        except FileNotFoundError:
            return
        self.cpu_s = (int(user) + int(system)) / TICKS_A_SECOND
        if peak:
            self.peak_kib = int(peak[0].split()[1])

    def show(self, size, before_s=0.0):
        print(json.dumps({"wall_s": time.monotonic() - self.start, "cpu_s": self.cpu_s - before_s,
                          "peak_kib": self.peak_kib, "bytes": size}), flush=True)


def start(torrent, folder, port, *options):
    extra = ENCRYPTED if "encrypted" in sys.argv else []
    return subprocess.Popen(["aria2c", *OPTIONS, *extra, f"--dir={folder}", f"--listen-port={port}",
                             *options, torrent], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL)


def seed(torrent, folder):
    port = harness.free_port()
    with start(torrent, folder, port, "--seed-ratio=0.0", "--bt-seed-unverified=true",
               "--allow-overwrite=true") as process:
        harness.wait_until(lambda: process.poll() is not None or harness.can_connect(port),
                           "the seed listens", 60)
        if process.poll() is not None:
            sys.exit(f"peer_aria2: the seed ended with exit code {process.returncode}")
        print(f"listening on {port}", flush=True)
        costs = Costs(process)
        costs.look()
        before_s = costs.cpu_s
        sys.stdin.read()
        costs.look()
        costs.show(0, before_s)
        process.terminate()


def leech(torrent, folder, port):
    os.makedirs(folder, exist_ok=True)
    with start(torrent, folder, harness.free_port(), "--seed-time=0",
               f"--bt-tracker={one_peer_tracker(port)}") as process:
        costs = Costs(process)
        while process.poll() is None:
            costs.look()
            time.sleep(POLL_S)
    size = sum(entry.stat().st_size for entry in os.scandir(folder) if entry.is_file())
    if process.returncode != 0:
        sys.exit(f"peer_aria2: exit code {process.returncode} with {size} bytes")
    costs.show(size)


if __name__ == "__main__":
    if sys.argv[1] == "seed":
        seed(*sys.argv[2:4])
    else:
        leech(*sys.argv[2:4], int(sys.argv[4]))
