"""Cases of hole punching (BEP 55) with libtorrent, over real routers."""
import os

import clients
import networks
from harness import check_same_sound

HERE = os.path.dirname(os.path.abspath(__file__))


def meets_behind_routers(suite, name, relay, said):
    """Our player behind one router, a seed behind another, and outside one who introduces them."""
    @suite.case(f"two behind routers meet: {name}", ["ip"])
    def _(scene):
        clients.need_libtorrent()
        houses, tracker = networks.Houses(scene), "11.0.0.2:6969"
        torrent = scene.publish(scene.media.flac, trackers=[f"http://{tracker}/announce"])
        houses.start("outside", "tracker", "--listen", tracker).wait_for("listening on")
        half = networks.half_of(scene, scene.media.flac)
        # Who completes itself parts from the seed; so the relay is slow.
        places = {"outside": ("11.0.0.2:7000", half, "1000"),
                  "second": ("10.89.0.2:7002", scene.media.folder, "0")}
        # It would hear of the player by PEX, dial it by itself, and meet it by chance.
        unaware = () if relay else ("--no-pex",)
        for place in ("outside", "second"):  # in this order, for a seed asks the tracker once
            at, folder, rate = places[place]
            if relay != (place == "outside"):
                houses.seed(place, torrent, folder, at)
                continue
            host = scene.start("libtorrent", [*houses.inside_of(place), "/usr/bin/python3",
                                              os.path.join(HERE, "libtorrent_host.py"), at,
                                              torrent, folder, rate, *unaware])
            host.wait_for("ready")
        # Of each address libtorrent dials one port alone: the one that the player tells must be it.
        known = () if relay else ("--listen", "10.88.0.2:7001")
        player, wav, _ = houses.play(torrent, "--transport", "utp", *known)
        player.wait(25)
        check_same_sound(wav, [scene.media.flac])
        host.wait_for(said, 1)


def add_cases(suite):
    meets_behind_routers(suite, "libtorrent introduces our player to our seed", True,
                         "HOLEPUNCH.*rendezvous")
    meets_behind_routers(suite, "our seed introduces our player to libtorrent", False,
                         "HOLEPUNCH.*connect")
