"""Load tests: what `tributary loadtest` prints and writes."""
import glob
import json
import os
import re
import shlex

from harness import check, read

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCENARIOS = sorted(glob.glob(f"{ROOT}/demo/loadtest/scenarios/*.toml"))


def digests(output):
    return re.search(r"^digest +(.*)$", output, re.M).group(1).split()


def add_cases(suite):
    case = suite.case

    @case("a load test gives the same figures each time, and writes them down")
    def _(scene):
        scenario = f"{ROOT}/demo/loadtest/scenarios/flash-crowd.toml"
        words = ["loadtest", scenario, "--nodes", "15", "--hours", "0.05"]
        first, second = scene.path("first"), scene.path("second")
        code, output, errors = scene.run(*words, "--report", first)
        check(code == 0, errors)
        check(len(set(digests(output))) == 2, f"two policies, two digests: {output}")
        code, again, errors = scene.run(*words, "--report", second)
        check(code == 0 and digests(again) == digests(output), "the same digests")
        for name in ("report.json", "time.csv"):
            a, b = (read(f"{folder}/{name}") for folder in (first, second))
            check(a == b, f"the same {name}")
        report = json.loads(read(f"{first}/report.json"))
        check([p["policy"] for p in report["policies"]] == ["adaptive", "spotify"], report)
        for policy in report["policies"]:
            received, ledger = policy["bytes_received"], policy["ledger"]
            check(policy["plays"] == 15, policy)
            check(received["peers"] > received["cdn"] > 0, received)
            check(0 <= received["cdn"] - ledger["cdn"] <= received["cdn"] // 10, policy)
        page = read(f"{first}/report.html").decode()
        check(page.count("<svg") == 7 and "src=" not in page and "href=" not in page, "one page")

    @case("each scenario that comes with it can be run")
    def _(scene):
        check(len(SCENARIOS) > 10, SCENARIOS)
        for scenario in SCENARIOS:
            code, output, errors = scene.run("loadtest", scenario, "--nodes", "4", "--hours", "0.6",
                                             "--policy", "adaptive")
            check(code == 0 and "offload" in output, f"{scenario}: {output} {errors}")

    @case("a scenario with a sweep shows by itself who suffers at each value")
    def _(scene):
        scenario = f"{ROOT}/demo/loadtest/scenarios/free-riders.toml"
        words = ["loadtest", scenario, "--nodes", "20", "--hours", "0.2", "--policy", "peers-only"]
        out = scene.path("riders")
        code, output, errors = scene.run(*words, "--report", out)
        check(code == 0, errors)
        values = ["0%", "10%", "20%", "40%", "60%"]
        check(re.findall(r"^(\d+%) +peers-only +[\d.]+ %", output, re.M) == values, output)
        riders = re.findall(r"^(\d+%) +peers-only +free-rider", output, re.M)
        check(riders and set(riders) <= set(values[1:]), output)
        for value in values:
            report = json.loads(read(f"{out}/links.1.share={value}/report.json"))
            rider = report["policies"][0]["by_class"][1]
            check(rider["name"] == "free-rider" and rider["uploaded"] == 0, rider)
        page = read(f"{out}/report.html").decode()
        check(page.count("<svg") == 7 and "free-rider, peers-only" in page, "plots by class")
        code, one, errors = scene.run(*words, "--set", "links.1.share=100%")
        check(code == 0 and re.search(r"^plays +\d+$", one, re.M), f"{one} {errors}")
        code, printed, errors = scene.run(*words, "--sweep", "links.0.up=1M,2M")
        check(code == 0 and len(printed.splitlines()) == 2, f"{printed} {errors}")

    @case("a mistake in a scenario or its options is told in one line, exit code 2")
    def _(scene):
        wrong = scene.path("wrong.toml")
        with open(wrong, "w", encoding="utf-8") as file:
            file.write("[listeners]\ncuont = 3\n")
        good = SCENARIOS[0]
        for words, said in (([wrong], "line 2: [listeners] unknown key 'cuont'"),
                            ([scene.path("gone.toml")], "gone.toml"),
                            ([good, "--policy", "best"], "policy 'best' is unknown"),
                            ([good, "--nodes", "0"], "'0' is no count"),
                            ([good, "--hours", "0.01"], "warm-up")):
            code, _, errors = scene.run("loadtest", *words)
            check(code == 2 and said in errors and len(errors.splitlines()) == 1, errors)

    @case("the points of a sweep run beside each other, and their results are joined")
    def _(scene):
        out = scene.path("sweep")
        code, printed, errors = scene.run(
            "loadtest", f"{ROOT}/demo/loadtest/scenarios/flash-crowd.toml", "--hours", "0.05",
            "--sweep", "listeners.count=4,8", "--sweep", "links.0.up=1M,5M", "--report", out)
        check(code == 0, errors)
        commands = printed.splitlines()
        check(len(commands) == 4 and not os.path.exists(out), printed)
        workers = [scene.start(f"worker {i}", [scene.tributary, *shlex.split(command)[1:]])
                   for i, command in enumerate(commands)]
        for worker in workers:
            worker.wait(60)
        code, table, errors = scene.run("loadtest", "--merge", *sorted(glob.glob(f"{out}/*")),
                                        "--report", out)
        check(code == 0 and table.count("adaptive") == 4, f"{table} {errors}")
        lines = read(f"{out}/merged.csv").decode().splitlines()
        check(len(lines) == 1 + 4 * 2 and "listeners.count=8" in lines[-1], lines)

    @case("a recorded workload takes the place of a drawn one")
    def _(scene):
        with open(scene.path("week.csv"), "w", encoding="utf-8") as file:
            file.write("time_s,listener,track,action\n0,ann,a,play\n0,ann,b,next\n"
                       "20,bob,a,play\n40,bob,b,play\n200,ann,,leave\n")
        scenario = scene.path("week.toml")
        with open(scenario, "w", encoding="utf-8") as file:
            file.write('[listeners]\ntrace = "week.csv"\ntime = "10m"\n[catalogue]\n'
                       'length = "1m"\n')
        code, output, errors = scene.run("loadtest", scenario)
        check(code == 0 and "2 listeners" in output, f"{output} {errors}")
        check(re.search(r"^plays +4 +4$", output, re.M), output)
        code, _, errors = scene.run("loadtest", scenario, "--nodes", "3")
        check(code == 2 and "--nodes is of no use" in errors, errors)

    @case("a load test that cannot write its report says so")
    def _(scene):
        blocked = scene.path("file")
        with open(blocked, "w", encoding="utf-8"):
            pass
        code, _, errors = scene.run("loadtest", f"{ROOT}/demo/loadtest/scenarios/flash-crowd.toml",
                                    "--nodes", "2", "--hours", "0.01", "--report", blocked)
        check(code == 1 and blocked in errors, errors)
