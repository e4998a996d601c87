"""What an embedder pays: the library's size, a client that does nothing, a read of verified bytes."""
import json
import os
import random
import subprocess
import wave

from common import table
from harness import check

TRACKS = 10
PIECES = (4 << 10, 32 << 10, 256 << 10)


def sound(path, size, seed):
    with wave.open(path, "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(random.Random(seed).randbytes(size))
    return path


def measure(bench, *words):
    done = subprocess.run([bench.program("embed_bench"), *map(str, words)], check=False,
                          capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    check(done.returncode == 0, done.stderr)
    return json.loads(done.stdout)


def idle(bench):
    length_s = 2 if bench.quick else 30
    folder = bench.folder("tracks")
    torrents = [bench.publish(sound(f"{folder}/{number}.wav", 1_000_000, number),
                              name=f"{number}.torrent") for number in range(TRACKS)]
    _, peer = bench.seed(*torrents, data=folder)
    rows = []
    for count in (0, 1, TRACKS):
        cpu = measure(bench, peer if count else "-", "idle", length_s, *torrents[:count])
        rows.append([count, f"{cpu['cpu_ms_per_s']:.3f}", f"{cpu['cpu_ms_per_s'] / 10:.4f} %"])
    table("A client with tracks open that nobody plays", "tests/bench/run embed_idle", [
        f"Each track is a torrent of its own of 1 MB, read whole from a peer that stays connected; then "
        f"{length_s} s of the process's processor time, all threads."],
        ["tracks open", "CPU ms a second", "of a core"], rows)


def reads(bench):
    size = (4 if bench.quick else 32) << 20
    folder = bench.folder("file")
    path = sound(f"{folder}/noise.wav", size, 1)
    torrent = bench.publish(path, name="noise.torrent")
    _, peer = bench.seed(torrent, data=folder)
    costs = measure(bench, peer, "read", path, torrent)
    rows = []
    for piece in PIECES:
        ours, base = costs[str(piece)]["reader"], costs[str(piece)]["pread"]
        rows.append([f"{piece >> 10} KiB", ours["reads"], f"{ours['ns']:,.0f}", f"{base['ns']:,.0f}",
                     f"{ours['ns'] / base['ns']:.2f} ×", f"{ours['cpu_ns']:,.0f}",
                     f"{ours['cpu_ns'] / base['cpu_ns']:.2f} ×", f"{ours['allocations']:.2f}"])
    table("A read through the C API beside pread()", "tests/bench/run embed_read", [
        f"tributary_reader_read() of a file of {size >> 20} MiB, in order, verified and in memory, beside "
        "pread() of the same file from the page cache, in the same process. CPU and allocations are those "
        "of all threads."],
        ["size", "reads", "ns", "pread ns", "÷ pread", "CPU ns", "÷ pread", "allocations"], rows)


def stripped(bench, path):
    out = bench.path("stripped")
    subprocess.run(["strip", "--strip-unneeded", "-o", out, path], check=True)
    return os.path.getsize(out)


def needed(path):
    dynamic = subprocess.run(["readelf", "-d", path], check=True, capture_output=True, text=True).stdout
    return dynamic.count("(NEEDED)")


def size(bench):
    rows = []
    for name, path in (("libtributary.so.0", "player/api/libtributary.so.0"),
                       ("libtributary-avio.so.0", "player/avio/libtributary-avio.so.0"),
                       ("tributary", "demo/tributary")):
        path = os.path.join(bench.build, path)
        rows.append([name, f"{stripped(bench, path) / 1e6:.2f} MB", needed(path)])
    rivals = subprocess.run(["ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
    found = [line.split(" => ")[1] for line in rivals.splitlines() if "libtorrent-rasterbar.so" in line]
    for path in found[:1]:
        rows.append([os.path.basename(path), f"{stripped(bench, path) / 1e6:.2f} MB", needed(path)])
    table("Size of the library", "tests/bench/run embed_size", [
        "Stripped, as a package has it, and how many libraries it names as needed."],
        ["file", "size", "needs"], rows)
