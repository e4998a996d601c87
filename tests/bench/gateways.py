"""The gateway beside nginx, serving the same file: many readers at once, and the first byte."""
import asyncio
import os
import random
import statistics
import time
import urllib.request
import wave

import clients
from common import table
from harness import check, read
from servers import cpu_seconds

READERS = 100
CHUNK = 1 << 18
FIRST_BYTES = 300


async def fetch(port, path, size):
    """Reads a whole body; the seconds to its first byte."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=CHUNK)
    start = time.perf_counter()
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    check(b" 200 " in head.split(b"\r\n", 1)[0], head.decode())
    left = size
    first = None
    while left > 0:
        part = await reader.read(CHUNK)
        check(part, f"the body ends {left} bytes early")
        first = first or time.perf_counter() - start
        left -= len(part)
    writer.close()
    return first


async def fetch_range(port, path, begin, end):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    start = time.perf_counter()
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                 f"Range: bytes={begin}-{end}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    check(b" 206 " in head.split(b"\r\n", 1)[0], head.decode())
    await reader.readexactly(1)
    took = time.perf_counter() - start
    writer.close()
    return took


def processes(pid):
    """A process and its children."""
    all_ = [pid]
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        for child in children.read().split():
            all_ += processes(int(child))
    return all_


def measure(pid, port, path, size, readers):
    """(MB/s, CPU seconds a GB, first bytes in ms)"""
    async def all_at_once():
        return await asyncio.gather(*(fetch(port, path, size) for _ in range(readers)))

    async def one_by_one():
        draw = random.Random(1)
        return [await fetch_range(port, path, at, at + 999) for at in
                (draw.randrange(size - 1000) for _ in range(FIRST_BYTES))]
    asyncio.run(fetch(port, path, size))  # all is in memory
    cpu = sum(cpu_seconds(p) for p in processes(pid))
    start = time.perf_counter()
    asyncio.run(all_at_once())
    took = time.perf_counter() - start
    cpu = sum(cpu_seconds(p) for p in processes(pid)) - cpu
    sent = readers * size / 1e9
    latencies = [t * 1e3 for t in asyncio.run(one_by_one())]
    return sent * 1e3 / took, cpu / sent, latencies


def run(bench):
    size = 8 << 20 if bench.quick else 64 << 20
    readers = 10 if bench.quick else READERS
    folder = bench.folder("files")
    with wave.open(f"{folder}/noise.wav", "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(random.Random(1).randbytes(size))
    size = os.path.getsize(f"{folder}/noise.wav")
    url = clients.start_nginx(bench, folder, "")
    torrent = bench.publish(f"{folder}/noise.wav", edges=[url])
    gateway, address = bench.serve("gateway", torrent, "--listen", "127.0.0.1:0", "--reading-rate",
                                   "1G")
    path = gateway.wait_for(r"play http://[^/]+(/\S+)").group(1)
    port = int(address.rsplit(":", 1)[1])
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as reply:
        track = reply.read().decode().split()[-1].split(str(port), 1)[1]
    nginx_port = int(url.rsplit(":", 1)[1].strip("/"))
    nginx_pid = int(read(bench.path("nginx", "nginx.pid")))
    rows = []
    figures = {}
    for who, pid, at, name in (("nginx", nginx_pid, nginx_port, "/noise.wav"),
                               ("tributary gateway", gateway.popen.pid, port, track)):
        rate, cpu, latencies = figures[who] = measure(pid, at, name, size, readers)
        base_rate, base_cpu, base_latencies = figures["nginx"]
        middle = statistics.median(latencies)
        rows.append([who, f"{rate:.0f}", f"{rate / base_rate:.2f} ×", f"{cpu:.2f}",
                     f"{cpu / base_cpu:.2f} ×", f"{middle:.2f}",
                     f"{sorted(latencies)[len(latencies) * 95 // 100]:.2f}",
                     f"{middle / statistics.median(base_latencies):.2f} ×"])
    table("The gateway beside nginx", "tests/bench/run gateway", [
        f"{readers} readers at once, each the whole of one file of {size >> 20} MiB that is verified "
        "and in memory, over loopback; one asyncio process reads, and shares the cores with the "
        "server. CPU is the server's alone.",
        f"First byte: the median and the 95th percentile of {FIRST_BYTES} ranges one after another, "
        "each on a connection of its own, from the request on."],
        ["server", "MB/s", "÷ nginx", "CPU s/GB", "÷ nginx", "first byte ms", "p95 ms", "÷ nginx"],
        rows)

