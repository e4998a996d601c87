"""Eight viewers as eight processes, in real time."""
import json
import time

from common import harness, mib, percent, table

VIEWERS = 8
APART_S = 10
SECONDS = 100
DOWN, UP = "10M", "5M"
CLIENT = ("--audio", "null", "--down", DOWN, "--up", UP)
RIVAL = {"music": "0 %", "video": "8.9 %"}  # libtorrent's hybrid, measured elsewhere


class Party:
    """The viewers of one track."""

    def __init__(self, bench, name, folder):
        self.name = name.split(".")[0]
        self.origin, url = bench.origin(folder=folder)
        tracker = bench.tracker("--interval", "30s", "--min-interval", "10s")
        self.torrent = bench.publish(f"{folder}/{name}", edges=[url], trackers=[tracker],
                                     name=f"{name}.torrent")
        self.bench, self.players, self.reports = bench, [], []

    def join(self, count):
        """Viewer i shares until the last one has played to the end."""
        linger = (count - 1 - len(self.players)) * APART_S + 5
        report = self.bench.path(f"{self.name}{len(self.players)}.json")
        self.reports.append(report)
        self.players.append(self.bench.start("viewer", [
            self.bench.tributary, "play", self.torrent, *CLIENT, "--linger", f"{linger}s",
            "--report", report]))

    def finish(self):
        for player in self.players:
            code = player.wait(SECONDS + VIEWERS * APART_S + 60)
            harness.check(code == 0, f"a viewer exited with {code}: {player.output()[-500:]}")
        self.origin.stop()
        return [json.loads(harness.read(report))["total"] for report in self.reports]

    def row(self):
        totals = self.finish()
        peers = sum(t["bytes"]["peers"] for t in totals)
        cdn = sum(t["bytes"]["cdn"] for t in totals)
        ceiling = 100 * (len(totals) - 1) / len(totals)
        startups = sorted(t["startup_ms"] for t in totals)
        served = self.origin.output().strip().splitlines()[-1].replace("stopped after ", "")
        reasons = {}
        for total in totals:
            for reason, count in total["bytes"]["by_reason"].items():
                reasons[reason] = reasons.get(reason, 0) + count
        why = ", ".join(f"{reason} {count / 2**20:.1f}" for reason, count in reasons.items() if count)
        return [self.name, percent(peers, peers + cdn), f"{ceiling:.1f} %", RIVAL[self.name],
                sum(t["stall_count"] for t in totals),
                f"{startups[len(startups) // 2]:.0f} / {startups[-1]:.0f} ms",
                f"{mib(cdn)} ({why})", served]


def run(bench):
    count = 3 if bench.quick else VIEWERS
    seconds = 20 if bench.quick else SECONDS
    folder = bench.tracks(seconds)
    parties = [Party(bench, name, folder) for name in ("music.opus", "video.flac")]
    start = time.monotonic()
    for i in range(count):
        while time.monotonic() < start + i * APART_S:
            time.sleep(0.1)
        for party in parties:
            party.join(count)
    table(f"{count} viewers, {APART_S} s apart", "tests/bench/run viewers", [
        f"{count} processes `tributary play {' '.join(CLIENT)} --linger … --report …` over "
        f"loopback, in real time; {seconds} s of media; our origin and tracker, no other seed. "
        "Music and video run at the same time.",
        "The ceiling is what one copy from the CDN would leave. libtorrent's figure is that of its "
        "hybrid at 2.5 Mbit/s video and 155 kbit/s music with 50 ms to the CDN and 20 ms between "
        "peers, and was not measured again here."],
        ["media", "offload", "ceiling", "libtorrent (not re-measured)", "stalls",
         "startup median / max", "from the CDN by the reports (MiB by reason)",
         "by the origin's own count"], [party.row() for party in parties])
