"""How other clients and we find each other without a tracker, and their use of our web seed: each client
the same cases."""
import os

import clients
import networks
from clients import Aria2, Libtorrent, Transmission, WebTorrent, make_with_mktorrent
from harness import check, wait_until
from matrix import (ARIA2, DHT, LIBTORRENT, PEX, TRANSMISSION, WEB_SEED, WEBTORRENT, gives, takes)

SLOW = 50_000  # bytes a second: a client that is not complete before it has spoken of others
_NEEDS = {LIBTORRENT: ["mktorrent"], TRANSMISSION: ["mktorrent", "transmission-daemon"],
          ARIA2: ["mktorrent", "aria2c"], WEBTORRENT: ["mktorrent", "node"]}


# --- Each starts its client as one that has nothing and knows `peer` alone, and gives its address.

def slow_libtorrent(scene, torrent, folder, peer):
    leech = Libtorrent(scene)
    leech.add(torrent, folder, [peer]).set_download_limit(SLOW)
    return leech.address


def slow_aria2(scene, torrent, folder, peer):
    """It is told of peers by trackers alone."""
    from_tracker = scene.path("tracked.torrent")
    tracker = scene.tracker()
    make_with_mktorrent(scene.media.flac, from_tracker, [tracker])
    clients.announce(tracker, clients.v1_hash(torrent), peer)
    return Aria2(scene, from_tracker, folder, ("--enable-peer-exchange=true",
                                               f"--max-overall-download-limit={SLOW}")).address


def slow_webtorrent(scene, torrent, folder, peer):
    return WebTorrent(scene, torrent, folder, peers=[peer], down=SLOW).address


# Some speak of others once a minute, first after a minute.
def tells_of_others(case, client, start):
    @case(f"plays from a seed of which {client} tells by peer exchange", _NEEDS[client],
          covers=gives(client, PEX), limit=110)
    def _(scene):
        clients.need_libtorrent()
        torrent = make_with_mktorrent(scene.media.flac, scene.path("bare.torrent"), [])
        seed = Libtorrent(scene)
        seed.seed(torrent, scene.media.folder)
        teller = start(scene, torrent, scene.folder("leech"), seed.address)
        wait_until(lambda: seed.peers(), f"{client} is connected to the seed")
        scene.play(torrent, peers=[teller], policy="peers-only", limit=100).check(scene.media.flac)


def hears_of_others(case, client, start):
    @case(f"{client} hears of a libtorrent leech from our seed by peer exchange", _NEEDS[client],
          covers=takes(client, PEX), limit=60)
    def _(scene):
        clients.need_libtorrent()
        torrent = make_with_mktorrent(scene.media.flac, scene.path("bare.torrent"), [])
        _, ours = scene.seed(torrent, extra=("--up", "400k"))
        other = Libtorrent(scene)
        other.add(torrent, scene.folder("other"), [ours])
        wait_until(lambda: other.peers(), "libtorrent is connected to our seed")
        start(scene, torrent, scene.folder("leech"), ours)
        wait_until(lambda: len(other.peers()) == 2, f"{client} finds libtorrent", 50)


# --- The DHT

def dht_aria2(scene, torrent, folder, node):
    return Aria2(scene, torrent, folder, (
        "--enable-dht=true", f"--dht-listen-port={clients.free_port()}", f"--dht-entry-point={node}",
        f"--dht-file-path={scene.path('aria2.dht')}"))


def dht_webtorrent(scene, torrent, folder, node):
    return WebTorrent(scene, torrent, folder, dht=[node])


def found_in_the_dht(case, client, start):
    @case(f"plays what it finds in the DHT alone, from {client}", _NEEDS[client],
          covers=gives(client, DHT), limit=60)
    def _(scene):
        _, node = scene.serve("dht", "--listen", "127.0.0.1:0")
        torrent = make_with_mktorrent(scene.media.opus, scene.path("bare.torrent"), [])
        start(scene, torrent, scene.media.folder, node)
        known = clients.v1_hash(torrent).hex()
        wait_until(lambda: scene.run("dht", known, "--bootstrap", node)[0] == 0,
                   f"{client} announces itself", 40)
        scene.play(torrent, policy="peers-only",
                   extra=("--dht-node", node)).check(scene.media.opus)


def finds_in_the_dht(case, client, start):
    @case(f"{client} downloads from our seed, found in the DHT alone", _NEEDS[client],
          covers=takes(client, DHT), limit=60)
    def _(scene):
        _, node = scene.serve("dht", "--listen", "127.0.0.1:0")
        torrent = make_with_mktorrent(scene.media.opus, scene.path("bare.torrent"), [])
        scene.seed(torrent, extra=("--dht-node", node))
        known = clients.v1_hash(torrent).hex()
        wait_until(lambda: scene.run("dht", known, "--bootstrap", node)[0] == 0, "we announce")
        leech, folder = start(scene, torrent, scene.folder("copy"), node), scene.path("copy")
        leech.finish(50)
        clients.check_same_file(scene.media.opus, folder)


# --- Transmission takes no addresses at 127.*, so it is tried on a network.

def serve_dht(scene, street):
    """A DHT of a dozen nodes at the first host, for transmission announces itself in none that is
    smaller, and learns of new nodes slowly; all of them."""
    nodes = []
    with street.at(1):
        for number in range(101, 113):
            street.ip(1, "addr", "add", f"{street.address(number)}/24", "dev", "street")
            joined = ("--bootstrap", nodes[0]) if nodes else ()
            nodes.append(scene.serve("dht", "--listen", f"{street.address(number)}:6881", *joined)[1])
    return nodes


def add_transmission_cases(case):
    needs = [*_NEEDS[TRANSMISSION], "ip"]

    @case("plays from a seed of which transmission tells by peer exchange", needs,
          covers=gives(TRANSMISSION, PEX), limit=150)
    def _(scene):
        clients.need_libtorrent()
        street = networks.Street(scene, 3)
        with street.at(1) as host:
            _, address = scene.serve("tracker", "--listen", f"{host}:0")
            seed = Libtorrent(scene, listen_interfaces=f"{host}:0")
        tracker = f"http://{address}/announce"
        bare = make_with_mktorrent(scene.media.flac, scene.path("bare.torrent"), [])
        tracked = make_with_mktorrent(scene.media.flac, scene.path("tracked.torrent"), [tracker])
        seed.seed(bare, scene.media.folder)
        with street.at(1):
            clients.announce(tracker, clients.v1_hash(bare), seed.address)
        with street.at(2) as host:
            teller = Transmission(scene, host=host, pex=True, down=SLOW // 2000)
            teller.add(tracked)
        wait_until(lambda: seed.peers(), "transmission is connected to the seed")
        with street.at(3):
            scene.play(bare, peers=[teller.address], policy="peers-only",
                       limit=140).check(scene.media.flac)

    @case("transmission hears of a libtorrent leech from our seed by peer exchange", needs,
          covers=takes(TRANSMISSION, PEX), limit=60)
    def _(scene):
        clients.need_libtorrent()
        street = networks.Street(scene, 3)
        with street.at(1) as host:
            _, address = scene.serve("tracker", "--listen", f"{host}:0")
            tracked = make_with_mktorrent(scene.media.flac, scene.path("tracked.torrent"),
                                          [f"http://{address}/announce"])
            _, ours = scene.serve("seed", tracked, "--data", scene.media.folder, "--listen",
                                  f"{host}:0", "--up", "400k", "--no-dht", "--no-lsd",
                                  "--no-port-mapping")
        bare = make_with_mktorrent(scene.media.flac, scene.path("bare.torrent"), [])
        with street.at(2) as host:
            other = Libtorrent(scene, listen_interfaces=f"{host}:0")
            other.add(bare, scene.folder("other"), [ours])
            wait_until(lambda: other.peers(), "libtorrent is connected to our seed")
        # From now on it dials nobody.
        other.session.apply_settings({"enable_outgoing_tcp": False})
        with street.at(3) as host:
            Transmission(scene, host=host, pex=True).add(tracked, scene.folder("leech"))
        wait_until(lambda: len(other.peers()) == 2, "transmission finds libtorrent", 50)

    @case("plays what it finds in the DHT alone, from transmission", needs,
          covers=gives(TRANSMISSION, DHT), limit=120)
    def _(scene):
        street = networks.Street(scene, 3)
        torrent = make_with_mktorrent(scene.media.opus, scene.path("bare.torrent"), [])
        nodes = serve_dht(scene, street)
        with street.at(2) as host:
            Transmission(scene, host=host, dht=nodes).seed(torrent, scene.media.folder)
        # Nobody asks whether it has announced itself: it would take each asker for a node that stays.
        with street.at(3):
            scene.play(torrent, policy="peers-only", extra=("--dht-node", nodes[0]),
                       limit=110).check(scene.media.opus)

    @case("transmission downloads from our seed, found in the DHT alone", needs,
          covers=takes(TRANSMISSION, DHT), limit=120)
    def _(scene):
        street = networks.Street(scene, 3)
        torrent = make_with_mktorrent(scene.media.opus, scene.path("bare.torrent"), [])
        known = clients.v1_hash(torrent).hex()
        nodes = serve_dht(scene, street)
        with street.at(2) as host:
            scene.serve("seed", torrent, "--data", scene.media.folder, "--listen", f"{host}:0",
                        "--dht-node", nodes[0], "--no-lsd", "--no-port-mapping")
            wait_until(lambda: scene.run("dht", known, "--bootstrap", nodes[0])[0] == 0,
                       "we announce")
        with street.at(3) as host:
            leech, folder = Transmission(scene, host=host, dht=nodes), scene.folder("copy")
            leech.add(torrent, folder)
            leech.finish(100)
        clients.check_same_file(scene.media.opus, folder)


# --- Web seeds

def fetch_by_libtorrent(scene, torrent, folder):
    leech = Libtorrent(scene)
    leech.finish(leech.add(torrent, folder))


def fetch_by_transmission(scene, torrent, folder):
    leech = Transmission(scene)
    leech.add(torrent, folder)
    leech.finish(40)


def fetch_by_aria2(scene, torrent, folder):
    Aria2(scene, torrent, folder).finish(40)


def fetch_by_webtorrent(scene, torrent, folder):
    WebTorrent(scene, torrent, folder).finish(40)


def fetches_from_our_origin(case, client, fetch):
    @case(f"{client} downloads from our origin as a web seed", _NEEDS[client],
          covers=takes(client, WEB_SEED), limit=60)
    def _(scene):
        _, edge = scene.origin()
        torrent = make_with_mktorrent(scene.media.opus, scene.path("web.torrent"), [],
                                      [edge + os.path.basename(scene.media.opus)])
        folder = scene.folder("copy")
        fetch(scene, torrent, folder)
        clients.check_same_file(scene.media.opus, folder)


def add_cases(suite):
    case = suite.case
    for client, start in ((LIBTORRENT, slow_libtorrent), (ARIA2, slow_aria2),
                          (WEBTORRENT, slow_webtorrent)):
        tells_of_others(case, client, start)
        if client != LIBTORRENT:  # in tests/interop/run
            hears_of_others(case, client, start)
    for client, start in ((ARIA2, dht_aria2), (WEBTORRENT, dht_webtorrent)):
        found_in_the_dht(case, client, start)
        finds_in_the_dht(case, client, start)
    add_transmission_cases(case)
    for client, fetch in ((LIBTORRENT, fetch_by_libtorrent), (TRANSMISSION, fetch_by_transmission),
                          (ARIA2, fetch_by_aria2), (WEBTORRENT, fetch_by_webtorrent)):
        fetches_from_our_origin(case, client, fetch)
