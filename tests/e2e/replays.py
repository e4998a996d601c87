"""Recorded sessions: what `tributary play --trace` writes and `tributary replay` makes of it."""
import json
import os

from harness import check, read, write

POLICIES = ("adaptive", "cdn-only", "peers-only", "spotify")


def record(scene, policy="adaptive"):
    """A track of 7 s, played in real time among two seeds and an origin; its trace and report."""
    _, edge = scene.origin("--rate", "16M")
    torrent = scene.publish(scene.media.first, edges=[edge])
    seeds = [scene.seed(torrent, extra=("--up", "4M"))[1] for _ in range(2)]
    trace = scene.path("session.jsonl")
    played = scene.play(torrent, peers=seeds, audio="wav", policy=policy, extra=("--trace", trace))
    played.check(scene.media.first)
    return trace, played.report["total"]


def wait_for_head(trace):
    """Milliseconds from the wish to play until the CDN's first answer was in."""
    events = [json.loads(line) for line in read(trace).splitlines()]
    asked, answered = (next(e["t_ms"] for e in events if e.get("event") == kind)
                       for kind in ("play", "cdn"))
    return answered - asked


def replay(scene, trace, *policies):
    out = scene.path("replay.json")
    options = [word for policy in policies for word in ("--policy", policy)]
    code, output, errors = scene.run("replay", trace, *options, "--report", out)
    check(code == 0, errors)
    report = json.loads(read(out))
    check([r["policy"] for r in report["replays"]] == list(policies), report)
    check(all(r["finished"] for r in report["replays"]), report)
    return report["recorded"], report["replays"], output


def add_cases(suite):
    case = suite.case

    @case("a recorded session is replayed under each policy, under its own much as it was")
    def _(scene):
        trace, total = record(scene)
        size = os.path.getsize(scene.media.first)
        recorded, replays, output = replay(scene, trace, *POLICIES)
        check(recorded["cdn"] == total["bytes"]["cdn"], (recorded, total))
        check(recorded["peers"] == total["bytes"]["peers"], (recorded, total))
        check("recorded: adaptive" in output and "difference" in output, output)
        adaptive, cdn_only, peers_only, spotify = replays
        check(abs(adaptive["peers"] - recorded["peers"]) <= 0.15 * size, (adaptive, recorded))
        check(abs(adaptive["cdn"] - recorded["cdn"]) <= 0.15 * size, (adaptive, recorded))
        # A replay knows of the network, and not of a machine with much else to do.
        check(adaptive["startup_ms"] <= recorded["startup_ms"] + 50, (adaptive, recorded))
        check(abs(adaptive["startup_ms"] - wait_for_head(trace)) <= 250, (adaptive, recorded))
        check(adaptive["stalls"] == recorded["stalls"] == 0, (adaptive, recorded))
        check(6500 <= adaptive["played_ms"] <= 7500, adaptive)
        check(cdn_only["peers"] == 0 and 0.98 * size <= cdn_only["cdn"] <= 1.05 * size, cdn_only)
        check(peers_only["cdn"] == 0 and peers_only["peers"] >= 0.98 * size, peers_only)
        check(spotify["cdn"] > 0 and spotify["cdn"] + spotify["peers"] >= 0.98 * size, spotify)
        again = replay(scene, trace, *POLICIES)[1]
        check(again == replays, "the same trace gives the same figures")

    @case("what is no trace is told in one line, exit code 2")
    def _(scene):
        wrong = write(scene.path("wrong.jsonl"), b'{"event":"session"}\n')
        for words, said in (([wrong], "wrong.jsonl: line 1: 't_ms'"),
                            ([scene.path("gone.jsonl")], "gone.jsonl"),
                            ([wrong, "--policy", "best"], "policy 'best' is unknown")):
            code, _, errors = scene.run("replay", *words)
            check(code == 2 and said in errors and len(errors.splitlines()) == 1, errors)
