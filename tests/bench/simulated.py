"""The simulator: a flash crowd, queries for the next track, how fast it runs, and the DHT."""
import json
import math
import os
import re
import subprocess

from common import command_line, table

CROWD = 50


def output(argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def field(pattern, line):
    found = re.search(pattern, line)
    return float(found.group(1)) if found else 0.0


def crowd_row(media, line):
    cdn, peers = field(r"CDN ([\d.]+) MiB", line), field(r"peers ([\d.]+) MiB", line)
    duplicate = field(r"duplicate ([\d.]+)", line)
    heads = field(r"\(startup ([\d.]+)", line)
    copy = (cdn + peers - duplicate) / CROWD
    return [media, f"{cdn:.2f} MiB", f"{copy:.2f} + {heads:.2f} = {copy + heads:.2f} MiB",
            f"{cdn / (copy + heads):.2f}", re.search(r"offload ([\d.]+ %)", line).group(1),
            re.search(r"stalls (\d+)", line).group(1),
            re.search(r"startup (p50 .*? ms)", line).group(1)]


def crowd(bench):
    program = os.path.join(bench.build, "tests", "scenario", "scenario_digests")
    rows = []
    for media, options in (("music", ()),) if bench.quick else (("music", ()),
                                                               ("video", ("--video",))):
        lines = output([program, "--figures", *options, "flash_crowd"]).splitlines()
        rows.append(crowd_row(media, lines[0]))
    table(f"Flash crowd of {CROWD}", command_line(program, "--figures", "[--video]", "flash_crowd"), [
        f"Simulated: {CROWD} listeners start one track within 10 s, no seed; each could take all "
        "from the CDN. The bound is one copy and everybody's head."],
        ["media", "from the CDN", "one copy + heads", "÷ bound", "offload", "stalls", "startup"],
        rows)


def overlay_row(case, line):
    return [case, re.search(r"(\d+) prefetches", line).group(1),
            *re.search(r"answered (\d+) had a peer and (\d+) a block", line).groups(),
            *re.search(r"(\d+) queries, each ([\d.]+) messages and ([\d.]+) kB", line).groups(),
            re.search(r"at most (\d+)", line).group(1),
            re.search(r"([\d.]+ %) duplicates", line).group(1),
            re.search(r"offload ([\d.]+ %)", line).group(1)]


def overlay(bench):
    program = os.path.join(bench.build, "tests", "scenario", "scenario_digests")
    cases = {"overlay_late": "tracker answers after 15 s", "overlay_never": "tracker never answers",
             "overlay_off": "never, and no queries", "overlay_crowd": "50 listeners within 10 s"}
    lines = output([program, "--figures", *cases]).splitlines()[::2]
    table("Queries among peers for the next track", command_line(program, "--figures", *cases), [
        "Simulated: 20 listeners, one every 5 s, of the same two tracks of a minute. Of the second "
        "one's peers they ask those of the first, and its tracker, at once; the crowd's answers after "
        "15 s.",
        "Before any tracker answered: who was connected to a peer that a query named, and who had a "
        "block of it.",
        "Messages and bytes of one query: all that arrived anywhere because of it, answers too."],
        ["case", "prefetches", "had a peer", "had a block", "queries", "messages", "kB",
         "most queries of one", "duplicates", "offload"],
        [overlay_row(case, line) for case, line in zip(cases.values(), lines, strict=True)])


def literature(bench):
    """Prints tables of its own, and leaves a page of plots."""
    program = os.path.join(bench.build, "tests", "scenario", "literature")
    page = os.path.join(bench.build, "literature.html")
    argv = [program, "--plots", page, "--most", "100" if bench.quick else "10000"]
    print(f"\n### The literature, found again\n\n    {command_line(*argv)}\n", flush=True)
    subprocess.run(argv, check=True)


def simulator(bench):
    counts = ("200",) if bench.quick else ("200", "1000")
    argv = [bench.program("sim_bench"), *counts]
    results = [json.loads(line) for line in output(argv).splitlines()]
    table("Simulated listeners", command_line(*argv), [
        "Music listeners over 50 tracks, one core; node-seconds: virtual time summed over "
        "listeners."],
        ["listeners", "node-seconds", "wall", "node-seconds per wall second", "events/s", "offload",
         "stalls"],
        [[r["listeners"], f"{r['node_s']:.0f}", f"{r['wall_s']:.2f} s",
          f"{r['node_s'] / r['wall_s']:.0f}", f"{r['events'] / r['wall_s']:.0f}",
          f"{r['offload_permille'] / 10:.1f} %", r["stalls"]] for r in results])


def planner(bench):
    argv = [bench.program("planner_bench")]
    head, *rows = (line.split() for line in output(argv).splitlines())
    table("Planner", command_line(*argv), [
        "Processor nanoseconds that one input costs a swarm that plays a 3.1 Mbit/s track with a "
        "CDN, by kind of input, some 700 of them for reading the clock. A verdict is told to the "
        "quarter of the peers that lack the piece; `replan`: all is open to all again."],
        head, rows)


def spread(series):
    return f"{series['mean']:.1f} / {series['p95']} / {series['max']}"


def dht(bench):
    sizes = (1000,) if bench.quick else (1000, 10000, 100000)
    searches = 100 if bench.quick else 1000
    rows = []
    for nodes in sizes:
        for case, gone, lying in (("all there", 0, 0), ("30 % gone", 30, 0), ("10 % lie", 0, 10)):
            r = json.loads(output([bench.program("dht_bench"), str(nodes), str(gone), str(lying),
                                   str(searches)]))
            rows.append([f"{nodes:,}", f"{math.log2(nodes):.1f}", case, spread(r["hops"]),
                         f"{r['hops']['mean'] / math.log2(nodes):.2f}", spread(r["chain"]),
                         spread(r["queries"]), f"{r['took_ms']['p50']} ms",
                         f"{r['found']} of {searches}", f"{r['wall_s']:.0f} s",
                         f"{r['peak_mib']} MiB"])
    argv = [bench.program("dht_bench"), "NODES", "GONE", "LYING", str(searches)]
    table("Searches of the DHT", command_line(*argv), [
        "Each search is for another hash, which another node announced before nodes left. Mean / "
        "95 % / most of all.",
        "hops: referrals to the first node that named the peer; chain: the longest among all that "
        "answered until the search was sure of the 8 closest nodes.",
        "Tables are filled from the known population, not by as many joins (tests/scenario lets "
        "1,000 nodes join). 0.5 % of the datagrams are lost."],
        ["nodes", "log2 n", "case", "hops", "mean ÷ log2 n", "chain", "queries", "median time",
         "found", "wall", "memory"], rows)
