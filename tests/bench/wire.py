"""A whole file from one process to another: tributary's engine and libtorrent."""
import json
import os
import shutil
import subprocess
import sys

import clients
from common import HERE, harness, mib, table

PIECE = 1 << 20
# By uTP an eighth of the bytes will do: libtorrent moves about 5 MB/s.
WAYS = {"TCP": ([], 1), "TCP, RC4": (["encrypted"], 1), "uTP": (["utp", "127.0.0.1"], 8),
        "uTP, RC4": (["utp", "127.0.0.1", "encrypted"], 8)}
CASES = ((clients.V1, "TCP"), (clients.HYBRID, "TCP"), (clients.V2, "TCP"), (clients.V1, "TCP, RC4"),
         (clients.V1, "uTP"), (clients.V1, "uTP, RC4"))
PAIRS = (("tributary", "tributary"), ("tributary", "libtorrent"), ("libtorrent", "libtorrent"))


def make_file(path, size):
    with open(path, "wb") as file, open("/dev/urandom", "rb") as noise:
        for _ in range(size >> 20):
            file.write(noise.read(1 << 20))


def start(argv):
    return subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            text=True)


def transfer(seeder, leecher, torrent, folder, target, extra=()):
    """(seed's costs, leech's costs)"""
    os.makedirs(target)
    with start([*seeder, "seed", torrent, folder, *extra]) as seed:
        line = seed.stdout.readline()
        harness.check(line.startswith("listening on "), f"{seeder}: the seed said '{line}'")
        with start([*leecher, "leech", torrent, target, line.split()[-1], *extra]) as leech:
            theirs = leech.communicate(timeout=600)[0]
        ours = seed.communicate(timeout=60)[0]
    shutil.rmtree(target)
    harness.check(ours and theirs, f"{seeder}, {leecher}: no figures: {ours!r} {theirs!r}")
    return json.loads(ours), json.loads(theirs)


def run(bench):
    clients.need_libtorrent()
    engines = {"tributary": [bench.program("wire_bench")],
               "libtorrent": [sys.executable, os.path.join(HERE, "peer_libtorrent.py")]}
    sizes = {way: (128 if bench.quick else 1024) * 2**20 // part for way, (_, part) in WAYS.items()}
    folders = {size: bench.folder(f"data-{size}") for size in set(sizes.values())}
    for size, folder in folders.items():
        make_file(f"{folder}/random.bin", size)
    rows = []
    for version, way in CASES:
        size = sizes[way]
        torrent = clients.make_with_libtorrent(f"{folders[size]}/random.bin", version,
                                               bench.path(f"{version}-{size}.torrent"),
                                               piece_size=PIECE)
        costs = {pair: transfer(*(engines[name] for name in pair), torrent, folders[size],
                                bench.path("target"), WAYS[way][0]) for pair in PAIRS}
        rows += [row(version, way, pair, costs, size) for pair in PAIRS]
    table("A file from one process to another", "tests/bench/run wire", [
        f"{mib(sizes['TCP'])} of random bytes by TCP, {mib(sizes['uTP'])} by uTP, pieces of "
        f"{PIECE >> 10} KiB, loopback, one seed and one leech; the leech keeps all on disk. RC4: with "
        f"message stream encryption. libtorrent {clients.libtorrent.__version__} with deep queues and "
        "without DHT.",
        "CPU: user and system seconds per GB (10⁹ bytes) from the first request; verifying the "
        "seed's own data is not counted. Peak: the process's resident memory, which with "
        "libtorrent includes the files it maps. Received: the leech's payload ÷ the file's size."],
        ["torrent", "by", "seed → leech", "seed CPU s/GB", "leech CPU s/GB", "both ÷ libtorrent",
         "MB/s", "seed peak", "leech peak", "received"], rows)


def row(version, way, pair, costs, size):
    seed, leech = costs[pair]
    both, theirs = (sum(side["cpu_s"] for side in costs[p]) for p in (pair, PAIRS[-1]))
    return [version, way, " → ".join(pair), f"{seed['cpu_s'] / size * 1e9:.2f}",
            f"{leech['cpu_s'] / size * 1e9:.2f}", f"{both / theirs:.2f}",
            f"{size / leech['wall_s'] / 1e6:.0f}", f"{seed['peak_kib'] / 1024:.0f} MiB",
            f"{leech['peak_kib'] / 1024:.0f} MiB", f"{leech['bytes'] / size:.3f}"]
