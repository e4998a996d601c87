"""Cases of hosts on networks of their own: network namespaces with virtual cables between them."""
import json
import os
import shutil
import signal
import subprocess

from harness import Skipped, check, check_same_sound, read, write


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


class Home:
    """A host, 10.88.0.2, behind a router that translates to 11.0.0.1, and one outside, 11.0.0.2.
    The router speaks NAT-PMP and UPnP, or UPnP alone."""

    ADDRESSES = {"inside": ("lan", "10.88.0.2"), "outside": ("wan", "11.0.0.2")}
    RULES = """table inet home {
        chain forward { type filter hook forward priority 0; policy drop;
            iifname lan accept; ct state established,related accept; jump mapped; }
        chain mapped { }
        chain prerouting { type nat hook prerouting priority -100; jump mapped_in; }
        chain mapped_in { }
        chain postrouting { type nat hook postrouting priority 100;
            jump mapped_out; oifname wan masquerade; }
        chain mapped_out { }
    }"""

    def __init__(self, scene, nat_pmp):
        self.scene = scene
        for daemon in ("miniupnpd", "nft"):
            if shutil.which(daemon) is None and not os.path.exists(f"/usr/sbin/{daemon}"):
                raise Skipped(f"{daemon} is not installed")
        self.names = {name: f"tributary{os.getpid()}{name}" for name in
                      ("inside", "router", "outside")}
        for name in self.names.values():
            if ip("netns", "add", name).returncode != 0:
                raise Skipped("no network namespaces here: they need root")
            scene.callback(ip, "netns", "del", name)
        for name, (cable, address) in self.ADDRESSES.items():
            gateway = address.rsplit(".", 1)[0] + ".1"
            self.connect(name, cable, address, gateway)
        self.ip("inside", "route", "add", "default", "via", "10.88.0.1")
        self.run("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        rules, settings = scene.path("rules.nft"), scene.path("miniupnpd.conf")
        write(rules, self.RULES.encode())
        self.run("router", "nft", "-f", rules)
        write(settings, "\n".join([
            "ext_ifname=wan", "listening_ip=lan", "enable_upnp=yes",
            f"enable_natpmp={'yes' if nat_pmp else 'no'}", "secure_mode=yes",
            f"lease_file={scene.path('leases')}", "uuid=0e1f2a3b-1111-4222-8333-444455556666",
            "upnp_table_name=home", "upnp_nat_table_name=home", "upnp_forward_chain=mapped",
            "upnp_nat_chain=mapped_in", "upnp_nat_postrouting_chain=mapped_out",
            "allow 1024-65535 10.88.0.0/24 1024-65535", "deny 0-65535 0.0.0.0/0 0-65535",
            ""]).encode())
        router = scene.start("miniupnpd", [*self.inside_of("router"), "miniupnpd", "-d", "-f",
                                           settings, "-P", scene.path("miniupnpd.pid")])
        router.wait_for("HTTP listening")

    def connect(self, name, cable, address, gateway):
        ends = [cable, "netns", self.names["router"], "type", "veth", "peer", "name", cable,
                "netns", self.names[name]]
        check(ip("link", "add", *ends).returncode == 0, "no virtual cable here")
        for end, its in ((name, address), ("router", gateway)):
            self.ip(end, "addr", "add", f"{its}/24", "dev", cable)
            for link in ("lo", cable):
                self.ip(end, "link", "set", link, "up")

    def ip(self, name, *words):
        check(ip("-n", self.names[name], *words).returncode == 0, f"ip {words} failed")

    def inside_of(self, name):
        return ["ip", "netns", "exec", self.names[name]]

    def run(self, name, *command):
        return subprocess.run([*self.inside_of(name), *command], check=True, capture_output=True,
                              text=True).stdout

    def start(self, name, *arguments):
        return self.scene.start(arguments[0],
                                [*self.inside_of(name), self.scene.tributary, *arguments])


def add_cases(suite):
    case = suite.case

    def is_reached_through_router(protocol, nat_pmp):
        @case(f"a seed behind a router is reached through a port mapped by {protocol}", ["ip"])
        def _(scene):
            home = Home(scene, nat_pmp)
            torrent = scene.publish(scene.media.opus)
            seed = home.start("inside", "seed", torrent, "--data", scene.media.folder, "--listen",
                              "10.88.0.2:7000", "--no-dht", "--no-lsd")
            seed.wait_for(f"reachable from outside at 11.0.0.1:7000, by {protocol}")
            wav = scene.path("out.wav")
            home.start("outside", "play", torrent, "--policy", "peers-only", "--peer",
                       "11.0.0.1:7000", "--no-dht", "--audio", f"wav-fast:{wav}").wait(20)
            check_same_sound(wav, [scene.media.opus])
            mapped = "dnat"
            check(mapped in home.run("router", "nft", "list", "ruleset"), "no rule of the mapping")
            seed.kill(signal.SIGINT)
            seed.wait(5)
            check(mapped not in home.run("router", "nft", "list", "ruleset"),
                  "the mapping is left behind")

    is_reached_through_router("NAT-PMP", nat_pmp=True)
    is_reached_through_router("UPnP", nat_pmp=False)

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
