"""Cases of hosts on networks of their own: network namespaces with virtual cables between them."""
import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess

from harness import Skipped, check, check_same_sound, decoded, read, wait_until, write


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


class Street:
    """Hosts on one network, 10.77.0.1 and so on, each in a namespace of its own."""

    def __init__(self, scene, hosts):
        bridge, self.names = f"tributary{os.getpid()}street", {}
        for number in range(hosts + 1):
            name = f"tributary{os.getpid()}street{number}" if number else bridge
            if ip("netns", "add", name).returncode != 0:
                raise Skipped("no network namespaces here: they need root")
            scene.callback(ip, "netns", "del", name)
            self.names[number] = name
        self.ip(0, "link", "add", "street", "type", "bridge")
        self.ip(0, "link", "set", "street", "up")
        for number in range(1, hosts + 1):
            self.ip(0, "link", "add", f"door{number}", "type", "veth", "peer", "name", "street",
                    "netns", self.names[number])
            self.ip(0, "link", "set", f"door{number}", "master", "street", "up")
            self.ip(number, "addr", "add", f"{self.address(number)}/24", "dev", "street")
            for each in ("lo", "street"):
                self.ip(number, "link", "set", each, "up")

    @staticmethod
    def address(number):
        return f"10.77.0.{number}"

    def ip(self, number, *words):
        check(ip("-n", self.names[number], *words).returncode == 0, f"ip {words} failed")

    @contextlib.contextmanager
    def at(self, number):
        """What this thread starts or opens meanwhile is there; gives the address."""
        libc = ctypes.CDLL(None, use_errno=True)

        def enter(network):
            check(libc.setns(network.fileno(), 0) == 0, os.strerror(ctypes.get_errno()))

        with open("/proc/thread-self/ns/net", "rb") as here, \
                open(f"/run/netns/{self.names[number]}", "rb") as there:
            enter(there)
            try:
                yield self.address(number)
            finally:
                enter(here)


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


class Houses:
    """Two hosts, each behind a router of its own that lets in no more than answers to what went out
    (first: 10.88.0.2 behind 11.0.0.1, second: 10.89.0.2 behind 11.0.0.3), and one outside,
    11.0.0.2. An outgoing packet keeps its port."""

    HOSTS = {"first": ("10.88.0", "11.0.0.1"), "second": ("10.89.0", "11.0.0.3")}
    RULES = """table inet house {
        chain input { type filter hook input priority 0; policy drop; iifname lan accept; }
        chain forward { type filter hook forward priority 0; policy drop;
            iifname lan accept; ct state established,related accept; }
        chain postrouting { type nat hook postrouting priority 100; oifname wan masquerade; }
    }"""

    def __init__(self, scene):
        self.scene = scene
        if shutil.which("nft") is None and not os.path.exists("/usr/sbin/nft"):
            raise Skipped("nft is not installed")
        self.names = {}
        for name in ("outside", *self.HOSTS, *(f"{name}gate" for name in self.HOSTS)):
            self.names[name] = f"tributary{os.getpid()}{name}"
            if ip("netns", "add", self.names[name]).returncode != 0:
                raise Skipped("no network namespaces here: they need root")
            scene.callback(ip, "netns", "del", self.names[name])
        self.ip("outside", "link", "add", "world", "type", "bridge")
        self.bring_up("outside", "world", "11.0.0.2")
        rules = write(scene.path("rules.nft"), self.RULES.encode())
        for name, (house, address) in self.HOSTS.items():
            gate = f"{name}gate"
            self.connect((gate, "wan"), ("outside", name))
            self.ip("outside", "link", "set", name, "master", "world", "up")
            self.bring_up(gate, "wan", address)
            self.connect((gate, "lan"), (name, "lan"))
            self.bring_up(gate, "lan", f"{house}.1")
            self.bring_up(name, "lan", f"{house}.2")
            self.ip(name, "route", "add", "default", "via", f"{house}.1")
            for command in (["sysctl", "-qw", "net.ipv4.ip_forward=1"], ["nft", "-f", rules]):
                subprocess.run([*self.inside_of(gate), *command], check=True, capture_output=True)

    def connect(self, one, other):
        check(ip("link", "add", one[1], "netns", self.names[one[0]], "type", "veth", "peer", "name",
                 other[1], "netns", self.names[other[0]]).returncode == 0, "no virtual cable here")

    def bring_up(self, name, link, address):
        self.ip(name, "addr", "add", f"{address}/24", "dev", link)
        for each in ("lo", link):
            self.ip(name, "link", "set", each, "up")

    def ip(self, name, *words):
        check(ip("-n", self.names[name], *words).returncode == 0, f"ip {words} failed")

    def inside_of(self, name):
        return ["ip", "netns", "exec", self.names[name]]

    def start(self, name, *arguments):
        return self.scene.start(arguments[0],
                                [*self.inside_of(name), self.scene.tributary, *arguments])

    def seed(self, name, torrent, data, listen, *extra):
        process = self.start(name, "seed", torrent, "--data", data, "--listen", listen, "--no-dht",
                             "--no-lsd", "--no-port-mapping", *extra)
        process.wait_for("listening on")
        return process

    def play(self, torrent, *extra):
        """In the first house: (process, WAV, report)."""
        wav, report = self.scene.path("out.wav"), self.scene.path("report.json")
        player = self.start("first", "play", torrent, "--policy", "peers-only", "--no-dht",
                            "--no-lsd", "--no-port-mapping", "--audio",
                            f"wav-fast:{wav}", "--report", report, *extra)
        return player, wav, report


class TwoCables:
    """A host with two cables to another, 10.77.0.1 and 10.78.0.1, of which the first is the nearer
    way to what is there: 10.99.0.1. What leaves by the first is counted, and lost."""

    THERE = "10.99.0.1"
    RULES = """table ip guard {
        chain output { type filter hook output priority 0; oifname "first" counter drop; }
    }"""

    def __init__(self, scene):
        self.scene = scene
        if shutil.which("nft") is None and not os.path.exists("/usr/sbin/nft"):
            raise Skipped("nft is not installed")
        self.here, self.there = (f"tributary{os.getpid()}{end}" for end in ("here", "there"))
        for name in (self.here, self.there):
            if ip("netns", "add", name).returncode != 0:
                raise Skipped("no network namespaces here: they need root")
            scene.callback(ip, "netns", "del", name)
            self.ip(name, "link", "set", "lo", "up")
        self.ip(self.there, "addr", "add", f"{self.THERE}/32", "dev", "lo")
        for metric, (cable, network) in enumerate((("first", "10.77.0"), ("second", "10.78.0")), 1):
            check(ip("link", "add", cable, "netns", self.here, "type", "veth", "peer", "name",
                     cable, "netns", self.there).returncode == 0, "no virtual cable here")
            for number, name in enumerate((self.here, self.there), 1):
                self.ip(name, "addr", "add", f"{network}.{number}/24", "dev", cable)
                self.ip(name, "link", "set", cable, "up")
            self.ip(self.here, "route", "add", "10.99.0.0/24", "via", f"{network}.2", "metric",
                    str(metric))
        rules = write(scene.path("guard.nft"), self.RULES.encode())
        subprocess.run(["ip", "netns", "exec", self.here, "nft", "-f", rules], check=True)

    def ip(self, name, *words):
        check(ip("-n", name, *words).returncode == 0, f"ip {words} failed")

    def serve(self, *arguments):
        process = self.scene.start(arguments[0], ["ip", "netns", "exec", self.there,
                                                  self.scene.tributary, *arguments])
        process.wait_for("listening on")

    def play(self, torrent, *extra):
        wav = self.scene.path("out.wav")
        return wav, self.scene.start("play", ["ip", "netns", "exec", self.here,
                                              self.scene.tributary, "play", torrent, "--audio",
                                              f"wav-fast:{wav}", *extra])

    def lost(self):
        """Packets that would have left by the first cable."""
        rules = subprocess.run(["ip", "netns", "exec", self.here, "nft", "list", "ruleset"],
                               check=True, capture_output=True, text=True).stdout
        return int(re.search(r"counter packets (\d+)", rules).group(1))


def half_of(scene, path, second=False):
    """A folder with somewhat more than half of the file, from its beginning or from its end, under the
    same name: every piece is whole in one of them."""
    folder = scene.folder("half", "second" if second else "first")
    data = read(path)
    twentieth = len(data) // 20
    half = bytes(9 * twentieth) + data[9 * twentieth:] if second else data[:11 * twentieth]
    write(os.path.join(folder, os.path.basename(path)), half)
    return folder


def add_cases(suite):
    case = suite.case
    TRACKER, RELAY = "11.0.0.2:6969", "11.0.0.2:7000"

    SEED = "11.0.0.3:7002"

    def meet(scene, *extra, relay=True, publish=()):
        """A player and one that has the second half in two houses; outside a tracker, and a relay
        that has the first half."""
        houses = Houses(scene)
        torrent = scene.publish(scene.media.flac, trackers=[f"http://{TRACKER}/announce"],
                                extra=publish)
        houses.start("outside", "tracker", "--listen", TRACKER).wait_for("listening on")
        if relay:
            houses.seed("outside", torrent, half_of(scene, scene.media.flac), RELAY)
        houses.seed("second", torrent, half_of(scene, scene.media.flac, second=True),
                    "10.89.0.2:7002")
        return houses.play(torrent, *extra)

    def meets(name, *extra, punched):
        @case(f"two behind routers meet through one outside: {name}", ["ip"])
        def _(scene):
            player, wav, report = meet(scene, *extra)
            player.wait(25)
            check_same_sound(wav, [scene.media.flac])
            peers = {peer["address"]: peer for peer in json.loads(read(report))["peers"]}
            check(set(peers) == {RELAY, SEED}, f"connected to others than those two: {peers}")
            rest = os.path.getsize(scene.media.flac) * 4 // 10  # of what the relay has not
            direct = peers[SEED]["received"]
            check(direct >= rest, f"{direct} bytes came directly, less than {rest}")
            check("h" not in peers[RELAY]["flags"], "a hole was punched where there is no wall")
            flags = peers[SEED]["flags"]
            check("P" in flags and ("h" in flags or not punched), f"no hole was punched: {flags}")

    # Each hears of the other and dials, from the port where it listens: they may meet by chance.
    meets("both listen", "--listen", "10.88.0.2:7001", punched=False)
    # From where the player's uTP comes nobody but the relay can tell.
    meets("one listens, and the other is introduced", "--transport", "utp", punched=True)

    def is_kept_away(name, **options):
        @case(f"two behind routers do not meet {name}", ["ip"])
        def _(scene):
            player, wav, _ = meet(scene, "--transport", "utp", **options)
            try:
                player.wait(8)
            except AssertionError:
                heard = os.path.getsize(wav) if os.path.exists(wav) else 0
                check(heard < len(decoded(scene.media.flac)) * 3 // 4, "more was heard than half")
            else:
                raise AssertionError(f"play ended: {player.output()[-300:]}")

    is_kept_away("where nobody is between them", relay=False)
    is_kept_away("where nobody introduces them", publish=["--private"])

    def leaves_by(interface, transport):
        @case(f"everything leaves by the interface {interface}, with peers by {transport}", ["ip"])
        def _(scene):
            cables, there = TwoCables(scene), TwoCables.THERE
            trackers = [f"http://{there}:6969/announce", f"udp://{there}:6969/announce"]
            torrent = scene.publish(scene.media.flac, trackers=trackers,
                                    edges=[f"http://{there}:8080/"])
            cables.serve("tracker", "--listen", f"{there}:6969")
            cables.serve("origin", scene.media.folder, "--listen", f"{there}:8080")
            cables.serve("dht", "--listen", f"{there}:6881")
            cables.serve("seed", torrent, "--data", scene.media.folder, "--listen",
                         f"{there}:7000", "--no-dht", "--no-lsd", "--no-port-mapping")
            options = ("--dht-node", f"{there}:6881", "--transport", transport, "--listen",
                       "0.0.0.0:7001", "--no-port-mapping", "--report", scene.path("report.json"))
            wav, player = cables.play(torrent, "--interface", interface, *options)
            player.wait(20)
            check_same_sound(wav, [scene.media.flac])
            got = json.loads(read(scene.path("report.json")))["total"]["bytes"]
            check(got["cdn"] > 0 and got["peers"] > 0, f"not of both: {got}")
            check(cables.lost() == 0, f"{cables.lost()} packets left by the other interface")
            # The nearer way is the other one for whoever does not choose.
            cables.play(torrent, *options)
            wait_until(lambda: cables.lost() > 0, "packets take the nearer way")

    leaves_by("second", "tcp")
    leaves_by("10.78.0.1", "utp")

    @case("an interface that is not here, or not where one listens, is one line of error")
    def _(scene):
        torrent = scene.publish(scene.media.opus)
        for words, reason in ((("--interface", "nosuch0"), "there is no interface nosuch0"),
                              (("--interface", "192.0.2.1"),
                               "no interface has the address 192.0.2.1"),
                              (("--interface", "lo", "--listen", "192.0.2.1:0"),
                               "cannot listen on 192.0.2.1:0: interface lo")):
            code, _, errors = scene.run("play", torrent, "--audio", "null", *words)
            check(code != 0 and reason in errors, f"{words}: {code}, {errors}")

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
