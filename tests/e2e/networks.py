"""Cases of two hosts on one network: network namespaces with a virtual cable between them."""
import json
import os
import subprocess

from harness import Skipped, check, check_same_sound, read


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


class Cable:
    """Two namespaces, each with one end of a cable: 10.77.0.1 and fd77::1 here, .2 and ::2 there."""

    def __init__(self, scene):
        self.scene = scene
        self.names = [f"tributary{os.getpid()}{end}" for end in "ab"]
        for name in self.names:
            if ip("netns", "add", name).returncode != 0:
                raise Skipped("no network namespaces here: they need root")
            scene.callback(ip, "netns", "del", name)
        ends = ["cable", "netns", self.names[0], "type", "veth", "peer", "name", "cable", "netns",
                self.names[1]]
        check(ip("link", "add", *ends).returncode == 0, "no virtual cable here")
        for number, name in enumerate(self.names, 1):
            for words in (["link", "set", "lo", "up"], ["link", "set", "cable", "up"],
                          ["addr", "add", f"10.77.0.{number}/24", "dev", "cable"],
                          ["addr", "add", f"fd77::{number}/64", "dev", "cable", "nodad"]):
                check(ip("-n", name, *words).returncode == 0, f"ip {words} failed")

    def start(self, end, *arguments):
        inside = ["ip", "netns", "exec", self.names[end], self.scene.tributary]
        return self.scene.start(arguments[0], [*inside, *arguments])


def add_cases(suite):
    case = suite.case

    def plays_from_neighbour(family, here, there):
        def play(scene, extra=()):
            cable = Cable(scene)
            torrent = scene.publish(scene.media.opus)
            seed = cable.start(0, "seed", torrent, "--data", scene.media.folder, "--listen", here,
                               "--no-dht")
            seed.wait_for("listening on")
            wav, report = scene.path("out.wav"), scene.path("report.json")
            player = cable.start(1, "play", torrent, "--policy", "peers-only", "--listen", there,
                                 "--no-dht", "--audio", f"wav-fast:{wav}", "--report", report,
                                 *extra)
            return player, wav, report

        @case(f"finds a seed on the local network by {family} multicast alone", ["ip"])
        def _(scene):
            player, wav, report = play(scene)
            player.wait(20)
            check_same_sound(wav, [scene.media.opus])
            check(json.loads(read(report))["total"]["bytes"]["peers"] > 0, "no bytes of peers")

        @case(f"asks the local network nothing by {family} where that is not wanted", ["ip"])
        def _(scene):
            player, wav, _ = play(scene, ["--no-lsd"])
            try:
                player.wait(4)
            except AssertionError:
                check(not os.path.exists(wav) or os.path.getsize(wav) < 1000, "there is sound")
            else:
                raise AssertionError(f"play ended: {player.output()[-300:]}")

    plays_from_neighbour("IPv4", "10.77.0.1:0", "10.77.0.2:0")
    plays_from_neighbour("IPv6", "[fd77::1]:0", "[fd77::2]:0")
