"""The same listeners in virtual time and as real processes over links with rates and delays."""
import json
import os
import subprocess
import time

from common import harness, table
from utp import ip

UP, DOWN = 5_000_000, 10_000_000
VIEWER_MS, SERVER_MS = 5, 20  # each way: 20 ms there and back among viewers, 50 ms to the CDN
SERVER_RATE = 1_000_000_000
QUEUE_MS = 100  # of what a link carries in that time, so much waits at most
APART_S = 10
SERVER = 0  # its place in the net; viewer i has place i + 1

SCENARIO = """title = "Listeners {apart} s apart"
[listeners]
trace = "{trace}"
time = "{time}s"
[catalogue]
rate = "{rate}"
length = "{length}s"
[[links]]
up = "5M"
down = "10M"
rtt = "20ms"
[cdn]
rtt = "80ms"
first_byte = "1ms"
slow_start = true
[tracker]
answer = "100ms"
interval = "30s"
"""


class Net:
    """A namespace for each end, all joined by links to one that passes packets on."""

    def __init__(self, bench, ends):
        self.tag, self.links, self.spaces = os.getpid(), [], []
        self.router = self._space("router")
        ip("netns", "exec", self.router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for place in range(ends):
            self._join(bench, place)

    def _space(self, name):
        space = f"tributary-{name}-{self.tag}"
        ip("netns", "add", space)
        self.spaces.append(space)
        ip("-n", space, "link", "set", "lo", "up")
        return space

    def _join(self, bench, place):
        space = self._space(str(place))
        inner, outer = f"ti{place}x{self.tag}"[:15], f"to{place}x{self.tag}"[:15]
        up, down, delay = ((SERVER_RATE, SERVER_RATE, SERVER_MS) if place == SERVER
                           else (UP, DOWN, VIEWER_MS))
        link = subprocess.Popen(
            [bench.program("tun_link"), inner, outer, str(up), str(delay),
             str(down // 8 * QUEUE_MS // 1000), str(down)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.links.append(link)
        harness.check(link.stdout.readline() == "ready\n", "tun_link makes no devices")
        for name, where in ((inner, space), (outer, self.router)):
            ip("link", "set", name, "netns", where)
            ip("-n", where, "link", "set", name, "up", "mtu", "1500")
        ip("-n", space, "address", "add", self.address(place) + "/32", "dev", inner)
        ip("-n", space, "route", "add", "default", "dev", inner)
        ip("-n", self.router, "route", "add", self.address(place), "dev", outer)

    @staticmethod
    def address(place):
        return f"10.78.0.{place + 1}"

    def inside(self, place, *argv):
        return ["ip", "netns", "exec", self.spaces[place + 1], *map(str, argv)]

    def close(self):
        for link in self.links:
            link.stdin.close()
            link.wait(10)
        for space in self.spaces:
            subprocess.run(["ip", "netns", "delete", space], check=False, capture_output=True)


class Case:
    def __init__(self, bench, name, viewers, rate, length):
        self.bench, self.viewers = bench, viewers
        self.folder = bench.folder(f"agree-{name}")
        self.length, self.rate = length, rate
        self.time = length + APART_S * viewers + 10

    def scenario(self, name, starts):
        with open(f"{self.folder}/{name}.csv", "w", encoding="utf-8") as file:
            file.write("time_s,listener,track,action\n")
            file.writelines(f"{start},viewer {i},track,play\n" for i, start in starts)
        path = f"{self.folder}/{name}.toml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(SCENARIO.format(apart=APART_S, trace=f"{name}.csv", time=self.time,
                                       rate=self.rate, length=self.length))
        return path

    def loadtest(self, scenario, out, *options):
        return [self.bench.tributary, "loadtest", scenario, "--policy", "adaptive", "--report",
                out, *options]

    def simulated(self):
        scenario = self.scenario("all", [(i, i * APART_S) for i in range(self.viewers)])
        out = f"{self.folder}/simulated"
        subprocess.run(self.loadtest(scenario, out), check=True, capture_output=True)
        return figures([out])

    def real(self, net):
        content = self.bench.folder("content")
        origin = self.bench.start("origin", net.inside(
            SERVER, self.bench.tributary, "origin", content, "--listen",
            f"{net.address(SERVER)}:8080"))
        tracker = self.bench.start("tracker", net.inside(
            SERVER, self.bench.tributary, "tracker", "--interval", "30s", "--listen",
            f"{net.address(SERVER)}:6969"))
        for server in (origin, tracker):
            server.wait_for("listening on")
        # The tracks are made before anybody's clock runs.
        first = self.scenario("first", [(0, 0)])
        subprocess.run(self.loadtest(first, f"{self.folder}/first", "--live", "--hours", "0.0003",
                                     "--content", content), check=True, capture_output=True)
        outs, players = [], []
        for i in range(self.viewers):
            scenario = self.scenario(f"viewer{i}", [(i, i * APART_S)])
            outs.append(f"{self.folder}/real{i}")
            players.append(self.bench.start(f"viewer{i}", net.inside(i + 1, *self.loadtest(
                scenario, outs[-1], "--live", "--content", content, "--listen",
                f"{net.address(i + 1)}:0", "--edge", f"http://{net.address(SERVER)}:8080/",
                "--tracker", f"http://{net.address(SERVER)}:6969/announce"))))
        for player in players:
            code = player.wait(self.time + 60)
            harness.check(code == 0, f"a viewer exited with {code}: {player.output()[-500:]}")
        for server in (origin, tracker):
            server.stop()
        return figures(outs)


def figures(folders):
    """(offload, startup p50 in ms, stalls) of the reports taken together."""
    reports = [json.loads(harness.read(f"{folder}/report.json"))["policies"][0]
               for folder in folders]
    peers = sum(r["bytes_received"]["peers"] for r in reports)
    cdn = sum(r["bytes_received"]["cdn"] for r in reports)
    if len(reports) == 1:
        startup = reports[0]["startup_ms"]["p50"]
    else:
        each = sorted(r["startup_ms"]["p50"] for r in reports)
        startup = each[(len(each) + 1) // 2 - 1]  # the nearest rank, as of one report
    return peers / (peers + cdn), startup, sum(r["stalls"] for r in reports)


def run(bench):
    harness.check(os.geteuid() == 0, "root is needed, for network namespaces and TUN devices")
    viewers, length = (3, 20) if bench.quick else (8, 100)
    rows = []
    for name, rate in (("music", "160k"), ("video", "2.5M")):
        case = Case(bench, name, viewers, rate, length)
        modelled = case.simulated()
        net = Net(bench, viewers + 1)
        try:
            real = case.real(net)
        finally:
            net.close()
        rows.append([name, f"{100 * modelled[0]:.1f} %", f"{100 * real[0]:.1f} %",
                     f"{modelled[0] / real[0]:.3f}", f"{modelled[1]} ms", f"{real[1]} ms",
                     f"{modelled[1] / real[1]:.3f}", f"{modelled[2]} / {real[2]}"])
    table(f"{viewers} listeners, {APART_S} s apart, simulated and real", "tests/bench/run agree", [
        f"Real: {viewers} processes `tributary loadtest --live` of one node each, and an origin and a "
        "tracker, each in a network namespace behind a link by tests/bench/tun_link.cpp: 10/5 "
        "Mbit/s, 20 ms there and back among viewers and 50 ms to the servers. Simulated: the same "
        "scenario without --live. The aim is 5 % on offload and 10 % on startup."],
        ["media", "offload simulated", "real", "ratio", "startup p50 simulated", "real", "ratio",
         "stalls simulated / real"], rows)
