"""A whole file from one process to another: tributary's engine and libtorrent."""
import json
import os
import shutil
import subprocess
import sys

import clients
from common import HERE, harness, table

PIECE = 1 << 20
ENCRYPTED = "v1, RC4"


def make_file(path, size):
    with open(path, "wb") as file, open("/dev/urandom", "rb") as noise:
        for _ in range(size >> 20):
            file.write(noise.read(1 << 20))


def start(argv):
    return subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            text=True)


def transfer(argv, torrent, folder, target, extra=()):
    """(seed's costs, leech's costs)"""
    os.makedirs(target)
    with start([*argv, "seed", torrent, folder, *extra]) as seed:
        line = seed.stdout.readline()
        harness.check(line.startswith("listening on "), f"{argv}: the seed said '{line}'")
        with start([*argv, "leech", torrent, target, line.split()[-1], *extra]) as leech:
            theirs = leech.communicate(timeout=600)[0]
        ours = seed.communicate(timeout=60)[0]
    shutil.rmtree(target)
    harness.check(ours and theirs, f"{argv} gave no figures: {ours!r} {theirs!r}")
    return json.loads(ours), json.loads(theirs)


def run(bench):
    clients.need_libtorrent()
    size = (128 if bench.quick else 1024) << 20
    folder = bench.folder("data")
    make_file(f"{folder}/random.bin", size)
    torrents = {version: clients.make_with_libtorrent(
        f"{folder}/random.bin", version, bench.path(f"{version}.torrent"), piece_size=PIECE)
        for version in (clients.HYBRID, clients.V1, clients.V2)}
    engines = {"tributary": [bench.program("wire_bench")],
               "libtorrent": [sys.executable, os.path.join(HERE, "peer_libtorrent.py")]}
    results = {}
    for version in torrents:
        for engine, argv in engines.items():
            results[version, engine] = transfer(argv, torrents[version], folder,
                                                bench.path(f"{engine}-{version}"))
    for engine, argv in engines.items():
        results[ENCRYPTED, engine] = transfer(argv, torrents[clients.V1], folder,
                                              bench.path(f"{engine}-encrypted"), ["encrypted"])
    rows = [row(kind, engine, results, size) for kind in (*torrents, ENCRYPTED)
            for engine in engines]
    table(f"{size >> 20} MiB from one process to another", "tests/bench/run wire", [
        f"Random bytes, pieces of {PIECE >> 10} KiB, loopback, TCP in the clear, one seed and one "
        "leech; the leech keeps all on disk. RC4: with message stream encryption. libtorrent "
        f"{clients.libtorrent.__version__} with deep queues and without encryption, uTP, DHT.",
        "CPU: user and system seconds per GB (10⁹ bytes) from the first request; verifying the "
        "seed's own data is not counted. Peak: the process's resident memory, which with "
        "libtorrent includes the files it maps. Received: the leech's payload ÷ the file's size."],
        ["torrent", "engine", "seed CPU s/GB", "leech CPU s/GB", "both ÷ libtorrent", "MB/s",
         "seed peak", "leech peak", "received"], rows)


def row(kind, engine, results, size):
    seed, leech = results[kind, engine]
    both = [sum(side["cpu_s"] for side in results[kind, e]) for e in (engine, "libtorrent")]
    return [kind, engine, f"{seed['cpu_s'] / size * 1e9:.2f}",
            f"{leech['cpu_s'] / size * 1e9:.2f}", f"{both[0] / both[1]:.2f}",
            f"{size / leech['wall_s'] / 1e6:.0f}", f"{seed['peak_kib'] / 1024:.0f} MiB",
            f"{leech['peak_kib'] / 1024:.0f} MiB", f"{leech['bytes'] / size:.3f}"]
