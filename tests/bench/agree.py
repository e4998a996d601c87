"""The same listeners in virtual time and as real processes over links with rates and delays."""
import json
import subprocess
import time

from common import harness, table
from net import Access, Net

# 20 ms there and back among viewers, 50 ms to the CDN
VIEWER = Access(up=5_000_000, down=10_000_000, delay_ms=5)
SERVERS = Access(up=1_000_000_000, down=1_000_000_000, delay_ms=20)
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
    viewers, length = (3, 20) if bench.quick else (8, 100)
    rows = []
    for name, rate in (("music", "160k"), ("video", "2.5M")):
        case = Case(bench, name, viewers, rate, length)
        modelled = case.simulated()
        net = Net(bench, [SERVERS, *[VIEWER] * viewers])
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
