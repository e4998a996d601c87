"""webtorrent and we, by given addresses."""
import clients
from clients import HYBRID, V1, WebTorrent, make_with_libtorrent
from harness import check
from matrix import MAGNET, MSE, TCP, WEBTORRENT, gives, takes


def link_of(torrent):
    return f"magnet:?xt=urn:btih:{clients.v1_hash(torrent).hex()}"


def plays(case, what, covers, told=None, options=(), version=V1, link=False):
    @case(f"plays {what} from a webtorrent seed", ["node"], covers=gives(WEBTORRENT, *covers))
    def _(scene):
        torrent = make_with_libtorrent(scene.media.flac, version, scene.path("theirs.torrent"))
        seed = WebTorrent(scene, torrent, scene.media.folder, **(told or {}))
        seed.finish()
        played = scene.play(link_of(torrent) if link else torrent, peers=[seed.address],
                            policy="peers-only", extra=options).check(scene.media.flac)
        check(played.bytes["peers"] > 0 and played.bytes["corrupt"] == 0, str(played.bytes))


def downloads(case, what, covers, told=None, options=(), version=V1, link=False):
    @case(f"webtorrent gets {what} from our seed", ["node"], covers=takes(WEBTORRENT, *covers))
    def _(scene):
        torrent = make_with_libtorrent(scene.media.flac, version, scene.path("theirs.torrent"))
        _, address = scene.seed(torrent, extra=options)
        folder = scene.folder("copy")
        WebTorrent(scene, link_of(torrent) if link else torrent, folder, peers=[address],
                   **(told or {})).finish()
        clients.check_same_file(scene.media.flac, folder)


def add_cases(suite):
    for both in (plays, downloads):
        both(suite.case, "a v1 torrent", (TCP, V1))
        both(suite.case, "a hybrid torrent", (TCP, HYBRID), version=HYBRID)
        both(suite.case, "an encrypted stream", (MSE,), {"secure": True}, ("--encryption", "required"))
        both(suite.case, "a magnet link's torrent", (MAGNET,), link=True)
