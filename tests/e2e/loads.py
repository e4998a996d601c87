"""Load tests: what `tributary loadtest` prints and writes."""
import glob
import json
import os
import re

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
        check(page.count("<svg") == 6 and "src=" not in page and "href=" not in page, "one page")

    @case("each scenario that comes with it can be run")
    def _(scene):
        check(len(SCENARIOS) > 10, SCENARIOS)
        for scenario in SCENARIOS:
            code, output, errors = scene.run("loadtest", scenario, "--nodes", "4", "--hours", "0.6",
                                             "--policy", "adaptive")
            check(code == 0 and "offload" in output, f"{scenario}: {output} {errors}")

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

    @case("a load test that cannot write its report says so")
    def _(scene):
        blocked = scene.path("file")
        with open(blocked, "w", encoding="utf-8"):
            pass
        code, _, errors = scene.run("loadtest", f"{ROOT}/demo/loadtest/scenarios/flash-crowd.toml",
                                    "--nodes", "2", "--hours", "0.01", "--report", blocked)
        check(code == 1 and blocked in errors, errors)
