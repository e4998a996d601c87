"""A whole file from one process to another: tributary's engine, libtorrent and aria2."""
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
OURS, LIBTORRENT, ARIA2 = "tributary", "libtorrent", "aria2"
PAIRS = ((OURS, OURS), (OURS, LIBTORRENT), (LIBTORRENT, LIBTORRENT))
# aria2 knows v1 and TCP alone.
ARIA2_PAIRS = ((OURS, ARIA2), (ARIA2, ARIA2))
ARIA2_CASES = ((clients.V1, "TCP"), (clients.V1, "TCP, RC4"))


def pairs_of(case):
    return PAIRS + (ARIA2_PAIRS if case in ARIA2_CASES else ())


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
    if shutil.which("aria2c") is None:
        raise harness.Skipped("aria2c is not installed")
    engines = {OURS: [bench.program("wire_bench")],
               LIBTORRENT: [sys.executable, os.path.join(HERE, "peer_libtorrent.py")],
               ARIA2: [sys.executable, os.path.join(HERE, "peer_aria2.py")]}
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
                                bench.path("target"), WAYS[way][0])
                 for pair in pairs_of((version, way))}
        rows += [row(version, way, pair, costs, size) for pair in costs]
    table("A file from one process to another", "tests/bench/run wire", [
        f"{mib(sizes['TCP'])} of random bytes by TCP, {mib(sizes['uTP'])} by uTP, pieces of "
        f"{PIECE >> 10} KiB, loopback, one seed and one leech; the leech keeps all on disk. RC4: with "
        f"message stream encryption. libtorrent {clients.libtorrent.__version__} with deep queues and "
        "without DHT; aria2, which knows v1 and TCP alone, with as large a disk cache as ours.",
        "CPU: user and system seconds per GB (10⁹ bytes) from the first request; verifying the "
        "seed's own data is not counted, the start of aria2's leech is. Best rival: the least that "
        "another's seed takes from another's leech in the same way, and the other way round. Peak: "
        "the process's resident memory, which with libtorrent includes the files it maps. Received: "
        "the leech's payload ÷ the file's size."],
        ["torrent", "by", "seed → leech", "seed CPU s/GB", "leech CPU s/GB", "both ÷ libtorrent",
         "seed, leech ÷ best rival", "MB/s", "seed peak", "leech peak", "received"], rows)


def row(version, way, pair, costs, size):
    seed, leech = costs[pair]
    both, theirs = (sum(side["cpu_s"] for side in costs[p]) for p in (pair, PAIRS[-1]))
    best = [min(sides[role]["cpu_s"] for names, sides in costs.items() if OURS not in names)
            for role in (0, 1)]
    return [version, way, " → ".join(pair), f"{seed['cpu_s'] / size * 1e9:.2f}",
            f"{leech['cpu_s'] / size * 1e9:.2f}", f"{both / theirs:.2f}",
            f"{seed['cpu_s'] / best[0]:.2f}, {leech['cpu_s'] / best[1]:.2f}",
            f"{size / leech['wall_s'] / 1e6:.0f}", f"{seed['peak_kib'] / 1024:.0f} MiB",
            f"{leech['peak_kib'] / 1024:.0f} MiB", f"{leech['bytes'] / size:.3f}"]
