"""What uTP leaves to others on a narrow link."""
import contextlib
import json
import os
import subprocess
import sys
import threading
import time

import clients
import wire
from common import harness, table
from net import ip

RATE, DELAY_MS = 10_000_000, 25  # each way: 50 ms there and back
QUEUES_MS = (100, 300)  # what waits at most: a router of today, and one with too much memory
ADDRESS = {"a": "10.77.0.1", "b": "10.77.0.2"}
CONTROLS = ("cubic", "bbr")

# A TCP flow, of a process for each end.
RECEIVE = """
import socket
with socket.create_server(("{address}", 5001)) as server:
    print("ready", flush=True)
    connection = server.accept()[0]
    while connection.recv(1 << 16): pass
"""
SEND = """
import socket, sys, time
flow = socket.socket()
flow.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"{control}")
flow.connect(("{address}", 5001))
end = time.monotonic() + {seconds}
try:
    while time.monotonic() < end: flow.send(bytes(1 << 14))
finally:
    flow.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
"""


class Link:
    """Two network namespaces with a modelled link between them."""

    def __init__(self, bench, queue_ms):
        queue = RATE // 8 * queue_ms // 1000
        tag = f"{os.getpid()}"
        self.spaces = {end: f"tributary-{end}-{tag}" for end in ADDRESS}
        devices = {end: f"tl{end}{tag}" for end in ADDRESS}
        self.process = subprocess.Popen(
            [bench.program("tun_link"), *devices.values(), str(RATE), str(DELAY_MS), str(queue)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        harness.check(self.process.stdout.readline() == "ready\n", "tun_link makes no devices")
        self.seconds = []  # what its lines say of one way
        for end, space in self.spaces.items():
            ip("netns", "add", space)
            ip("link", "set", devices[end], "netns", space)
            inside = ("-n", space)
            ip(*inside, "address", "add", ADDRESS[end] + "/24", "dev", devices[end])
            ip(*inside, "link", "set", devices[end], "up", "mtu", "1500")
            ip(*inside, "link", "set", "lo", "up")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.seconds.append(json.loads(line)["there"])

    def start(self, end, *argv):
        return subprocess.Popen(["ip", "netns", "exec", self.spaces[end], *map(str, argv)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def watch(self, seconds):
        """The seconds' lines."""
        first = len(self.seconds) + 1
        harness.wait_until(lambda: len(self.seconds) >= first + seconds, "the link's figures",
                           seconds + 10)
        return self.seconds[first:first + seconds]

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        for space in self.spaces.values():
            subprocess.run(["ip", "netns", "delete", space], check=False, capture_output=True)


@contextlib.contextmanager
def tcp_flow(link, control, seconds):
    python = [sys.executable, "-c"]
    there = link.start("b", *python, RECEIVE.format(address=ADDRESS["b"]))
    there.stdout.readline()
    here = link.start("a", *python, SEND.format(address=ADDRESS["b"], control=control,
                                                seconds=seconds))
    try:
        yield
    finally:
        for process in (here, there):
            process.kill()
            process.communicate()


@contextlib.contextmanager
def utp_flow(bench, link, torrent, folder):
    program, target = bench.program("wire_bench"), bench.folder(f"leech-{time.monotonic_ns()}")
    seed = link.start("a", program, "seed", torrent, folder, "utp", ADDRESS["a"])
    port = seed.stdout.readline().split()[-1]
    leech = link.start("b", program, "leech", torrent, target, port, "utp", ADDRESS["a"])
    try:
        yield
    finally:
        for process in (leech, seed):
            process.kill()
            process.communicate()


def rate(lines, protocol):
    return sum(line[protocol] for line in lines) * 8 / len(lines)


def share(bench, queue_ms, control, torrent, folder):
    """(TCP alone, uTP alone, TCP beside it, uTP beside it) in bit/s, and the uTP's longest wait"""
    settle, seconds = (3, 5) if bench.quick else (10, 30)
    link = Link(bench, queue_ms)
    try:
        with tcp_flow(link, control, 600):
            link.watch(settle)
            alone = rate(link.watch(seconds), "tcp")
        with utp_flow(bench, link, torrent, folder):
            link.watch(settle)
            quiet = link.watch(seconds)
            with tcp_flow(link, control, 600):
                link.watch(settle)
                both = link.watch(seconds)
    finally:
        link.close()
    return (alone, rate(quiet, "udp"), rate(both, "tcp"), rate(both, "udp"),
            max(line["wait_ms"] for line in quiet))


def run(bench):
    clients.need_libtorrent()
    harness.check(os.geteuid() == 0, "root is needed, for network namespaces and TUN devices")
    folder = bench.folder("data")
    size = (64 if bench.quick else 256) << 20
    wire.make_file(f"{folder}/random.bin", size)
    torrent = clients.make_with_libtorrent(f"{folder}/random.bin", clients.V1,
                                           bench.path("v1.torrent"), piece_size=wire.PIECE)
    rows = [shares_row(bench, queue, control, torrent, folder)
            for queue in QUEUES_MS for control in CONTROLS]
    table("A TCP flow on a link that uTP fills", "tests/bench/run utp", [
        f"{RATE // 10**6} Mbit/s and {2 * DELAY_MS} ms there and back, by tests/bench/tun_link.cpp; "
        "both send the same way. Rates at the link's end, IP headers included."],
        ["queue", "TCP is", "TCP alone", "uTP alone", "its longest wait", "TCP beside uTP",
         "uTP beside TCP", "TCP keeps"], rows)


def shares_row(bench, queue, control, torrent, folder):
    alone, quiet, tcp, utp, wait = share(bench, queue, control, torrent, folder)
    figures = [f"{bits / 1e6:.2f} Mbit/s" for bits in (alone, quiet, tcp, utp)]
    return [f"{queue} ms", control, figures[0], figures[1], f"{wait:.0f} ms", *figures[2:],
            f"{100 * tcp / alone:.0f} %"]
