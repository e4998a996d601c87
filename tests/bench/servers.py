"""What a process costs that others lean on: a tracker an announce, a DHT node a message, a seed a peer
that does nothing. Its processor time and memory are the kernel's; who asks may be as slow as he likes."""
import os
import random
import selectors
import socket
import struct
import time
import urllib.parse

import clients
from common import HERE, table
from harness import check, wait_until

PEERS_KNOWN = 1_000  # announcers of one torrent, each by a port of his own
IN_FLIGHT = 64       # datagrams without an answer
WINDOW_S = 1.0       # after which one is taken for lost
UDP_MAGIC = 0x41727101980
IDLE_PEERS = 1_000
PEERS_A_TORRENT = 50  # our soft limit
SOURCES = 200         # DHT nodes that ask, each at an address of its own


def cpu_seconds(pid):
    """Of all its threads, to the nanosecond."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as stat:
            total += int(stat.read().split()[0])
    return total / 1e9


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) * 1024


# --- Trackers

class UdpAnnouncer:
    """Announces over and over (BEP 15), in bursts: a tracker with nothing else to do between two
    announcements pays for going to sleep and waking up."""

    def __init__(self, port, info_hash):
        self.info_hash = info_hash
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(WINDOW_S)
        self.socket.send(struct.pack(">QII", UDP_MAGIC, 0, 1))
        action, _, self.connection = struct.unpack(">IIQ", self.socket.recv(64))
        check(action == 0, "the tracker gives a connection id")

    def announce(self, number):
        peer = number % PEERS_KNOWN
        self.socket.send(struct.pack(
            ">QII20s20sQQQIIIiH", self.connection, 1, number, self.info_hash,
            b"-XX0000-%012d" % peer, 0, 1000, 0, 0, 0, peer, 50, 10_000 + peer))

    def run(self, count):
        """How many were answered."""
        answered = 0
        for first in range(0, count, IN_FLIGHT):
            burst = range(first, min(first + IN_FLIGHT, count))
            for number in burst:
                self.announce(number)
            for _ in burst:
                try:
                    reply = self.socket.recv(2048)
                except socket.timeout:
                    break  # the rest of the burst is lost
                check(reply[:4] == b"\0\0\0\1", "the tracker answers the announcement")
                answered += 1
        return answered

    def close(self):
        self.socket.close()


class HttpAnnouncer:
    """A connection an announcement, as clients do it half an hour apart."""

    def __init__(self, port, info_hash):
        self.port = port
        self.info_hash = urllib.parse.quote(info_hash)

    def announce(self, number):
        peer = number % PEERS_KNOWN
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(
                f"GET /announce?info_hash={self.info_hash}&peer_id=-XX0000-{peer:012d}"
                f"&port={10_000 + peer}&uploaded=0&downloaded=0&left=1000&compact=1&numwant=50 "
                "HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            reply = b""
            while part := connection.recv(65536):
                reply += part
        return b"8:interval" in reply

    def run(self, count):
        return sum(self.announce(number) for number in range(count))

    def close(self):
        pass


def announces_a_second(pid, make, port, info_hash, count):
    """Per second of the server's processor time."""
    announcer = make(port, info_hash)
    try:
        announcer.run(PEERS_KNOWN)  # all are known, all code was used
        before = cpu_seconds(pid)
        answered = announcer.run(count)
        check(answered > count * 0.9, f"{answered} of {count} announcements were answered")
        return answered / (cpu_seconds(pid) - before)
    finally:
        announcer.close()


def tracker(bench):
    runs, counts = (1, (2_000, 500)) if bench.quick else (5, (40_000, 5_000))
    info_hash = bytes(range(20))
    ours, address = bench.serve("tracker", "--listen", "127.0.0.1:0")
    port = clients.free_port()
    theirs = clients.start_opentracker(bench, port, info_hash)
    rows = []
    for (name, make), count in zip((("UDP", UdpAnnouncer), ("HTTP", HttpAnnouncer)), counts):
        rates = {"ours": [], "theirs": []}
        for _ in range(runs):
            rates["ours"].append(announces_a_second(ours.popen.pid, make,
                                                    int(address.rsplit(":", 1)[1]), info_hash, count))
            rates["theirs"].append(announces_a_second(theirs.popen.pid, make, port, info_hash, count))
        middle = {who: sorted(all_)[len(all_) // 2] for who, all_ in rates.items()}
        rows.append([name, f"{middle['ours']:,.0f}", f"{middle['theirs']:,.0f}",
                     f"{middle['ours'] / middle['theirs']:.2f}"])
    table("Announcements a second of the tracker's processor", "tests/bench/run tracker", [
        f"Medians of {runs} alternating runs of {counts[0]:,} announcements by UDP and {counts[1]:,} by "
        f"HTTP, each on a connection of its own, of {PEERS_KNOWN:,} leechers of one torrent; 50 peers "
        "are asked for.", "The aim is to serve at least as many as opentracker."],
        ["by", "tributary tracker", "opentracker", "ratio"], rows)


# --- The DHT

def dht_queries(port, count, method):
    """From many addresses, for a node answers each only so often; how many were answered."""
    selector = selectors.DefaultSelector()
    sockets = []
    for number in range(SOURCES):
        asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asker.bind((f"127.{1 + number // 200}.{number % 200}.1", 0))
        asker.connect(("127.0.0.1", port))
        asker.setblocking(False)
        selector.register(asker, selectors.EVENT_READ)
        sockets.append(asker)
    rng = random.Random(1)
    sent = answered = 0
    try:
        while answered < count:
            while sent < count and sent - answered < IN_FLIGHT:
                key = b"target" if method == b"find_node" else b"info_hash"
                sockets[sent % SOURCES].send(
                    b"d1:ad2:id20:" + rng.randbytes(20) + b"%d:%s20:" % (len(key), key) +
                    rng.randbytes(20) + b"e1:q%d:%s" % (len(method), method) + b"1:t2:aa1:y1:qe")
                sent += 1
            ready = selector.select(WINDOW_S)
            if not ready:
                break
            for key, _ in ready:
                answered += key.fileobj.recv(2048).endswith(b"1:y1:re")
    finally:
        for asker in sockets:
            asker.close()
    return answered


def dht_messages(bench):
    runs, count = (1, 2_000) if bench.quick else (5, 20_000)
    rows = []
    for method in (b"find_node", b"get_peers"):
        rates = {"ours": [], "theirs": []}
        for _ in range(runs):
            with_ours, address = bench.serve("dht", "--listen", "127.0.0.1:0", "--answers",
                                            "1000000")
            theirs = bench.start("libtorrent", ["/usr/bin/python3", f"{HERE}/peer_libtorrent.py",
                                                "dht"])
            their_port = int(theirs.wait_for(r"listening on (\d+)").group(1))
            for who, process, port in (("ours", with_ours, int(address.rsplit(":", 1)[1])),
                                       ("theirs", theirs, their_port)):
                before = cpu_seconds(process.popen.pid)
                answered = dht_queries(port, count, method)
                used = cpu_seconds(process.popen.pid) - before
                rates[who].append((answered / used, answered))
                process.stop()
        middle = {who: sorted(all_)[len(all_) // 2] for who, all_ in rates.items()}
        rows.append([method.decode(), *(f"{middle[who][0]:,.0f} ({middle[who][1]:,} answered)"
                                        for who in ("ours", "theirs")),
                     f"{middle['ours'][0] / middle['theirs'][0]:.2f}"])
    table("DHT queries answered a second of the node's processor", "tests/bench/run dht_node", [
        f"Medians of {runs} alternating runs of {count:,} queries of {SOURCES} nodes, at addresses of "
        "their own, with random ids and targets."],
        ["query", "tributary dht", "libtorrent", "ratio"], rows)


# --- Peers that do nothing

def handshake(torrent_hash, number):
    reserved = b"\0\0\0\0\0\x10\0\x04"  # extensions, fast
    extended = b"d1:md11:ut_metadatai2eee"
    return (b"\x13BitTorrent protocol" + reserved + torrent_hash + b"-XX0000-%012d" % number +
            struct.pack(">IBB", len(extended) + 2, 20, 0) + extended +
            struct.pack(">IB", 1, 15))  # HaveNone


def connect_idle(port, hashes, numbers):
    """Leeches that have said hello and want nothing."""
    peers = []
    for number in numbers:
        peer = socket.create_connection(("127.0.0.1", port))
        peer.sendall(handshake(hashes[number % len(hashes)], number))
        peers.append(peer)
        check(len(peer.recv(68, socket.MSG_WAITALL)) == 68, f"peer {number} is greeted")
    return peers


def bytes_a_peer(pid, port, hashes):
    settle = connect_idle(port, hashes, range(len(hashes)))  # what each torrent needs, whoever comes
    wait_until(lambda: quiet(pid), "it has nothing to do", 30)
    before = resident_bytes(pid)
    peers = connect_idle(port, hashes, range(len(settle), IDLE_PEERS))
    wait_until(lambda: quiet(pid), "it has nothing to do", 30)
    grown = resident_bytes(pid) - before
    left = sum(still_open(peer) for peer in peers)
    for peer in settle + peers:
        peer.close()
    check(left > len(peers) * 0.95, f"{left} of {len(peers)} peers are still there")
    return grown / left


def quiet(pid):
    before = cpu_seconds(pid)
    time.sleep(0.5)
    return cpu_seconds(pid) - before < 0.01


def still_open(peer):
    peer.setblocking(False)
    try:
        while part := peer.recv(65536):
            del part
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def idle(bench):
    torrents = IDLE_PEERS // PEERS_A_TORRENT
    folder, files = bench.folder("idle"), []
    for number in range(torrents):
        name = f"{folder}/{number}.bin"
        with open(name, "wb") as file:
            file.write(random.Random(number).randbytes(5_000_000))
        files.append(clients.make_with_libtorrent(name, clients.V1, f"{name}.torrent"))
    hashes = [clients.v1_hash(torrent) for torrent in files]
    ours, address = bench.seed(*files, data=folder, extra=("--connections", IDLE_PEERS + 100))
    theirs = bench.start("libtorrent", ["/usr/bin/python3", f"{HERE}/peer_libtorrent.py", "seeds",
                                        folder, *files])
    their_port = int(theirs.wait_for(r"listening on (\d+)", 60).group(1))
    costs = [bytes_a_peer(ours.popen.pid, int(address.rsplit(":", 1)[1]), hashes),
             bytes_a_peer(theirs.popen.pid, their_port, hashes)]
    table("Memory of a peer that does nothing", "tests/bench/run idle", [
        f"{IDLE_PEERS:,} connections to one process that seeds {torrents} torrents of 5 MB, "
        f"{PEERS_A_TORRENT} to each; growth of its resident memory. The kernel's buffers are not in it.",
        "The aim is 2 kB, and half of libtorrent's."],
        ["seed", "bytes a peer"], [["tributary seed", f"{costs[0]:,.0f}"],
                                   ["libtorrent", f"{costs[1]:,.0f}"],
                                   ["ratio", f"{costs[0] / costs[1]:.2f}"]])
