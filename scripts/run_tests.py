"""``make test``: the linters, each runtime's unit tests in its own environment, and all other tests.

Three steps run at a time on two cores, because a suite with servers waits for half of its time (the summary says how
long each step took and worked). The longest begin first, so that short ones fill the end, and the others leave the
end-to-end tests, which are the longest of all, the cores. The tests of Terraform run beside them, because its provider
waits even more. The output of a step is printed when it ends. The last line has the totals in pytest's form, where each
linter counts as one test.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from scripts import lint, steps
from scripts.run_pytest import OUTCOMES
from scripts.steps import HOME, Result, Step
from scripts.suites import E2E, REST, SERVER_SUITES, SUITES, TERRAFORM, UNIT, with_servers

AT_ONCE = 3
# The end-to-end tests wait for one thing after the other, so they take longest: the other suites leave them the cores.
POLITELY = ("nice", "-n", "5")
WIDTH = 100
# The titles of the suites that run in the test environment
TITLES = {REST: "all other tests", E2E: "end-to-end tests", TERRAFORM: "tests of Terraform"} | {
    with_servers(name): f"tests with servers: {name}" for name in SUITES
}


def main() -> int:
    """Runs what the arguments name.

    Returns:
        1 when anything failed, else 0.
    """
    options = parser().parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nightjar-counts-") as folder:
        counts = Path(folder)
        beside: list[Step] = []
        steps_to_run = [suite(name, counts) for name in ([options.runtime] if options.runtime else SUITES)]
        if options.unit and not options.runtime:
            steps_to_run.append(suite(REST, counts, "-m", UNIT))
        elif not options.runtime:
            servers = [suite(name, counts) for name in (E2E, *SERVER_SUITES)]
            beside = [suite(TERRAFORM, counts)]
            steps_to_run = [*servers, *lint.linters().values(), *steps_to_run]
        with ThreadPoolExecutor(1) as lane:
            run_beside = lane.submit(steps.run, beside, 1)
            results = steps.run(steps_to_run, AT_ONCE) + run_beside.result()
        tallies = {result.name: tally(result, counts / f"{result.name}.json") for result in results}
    print("\n=== summary")
    for result in results:
        took = f"{result.seconds:>8.1f} s {result.cpu_seconds:>8.1f} s of CPU"
        print(f"{describe(tallies[result.name]):<50}{took}  {result.name}")
    print(closing_line(sum(tallies.values(), Counter()), time.monotonic() - started), flush=True)
    return int(any(result.code for result in results))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m scripts.run_tests", description=__doc__)
    found.add_argument(
        "--unit", action="store_true", help="no linters, and only tests without a marker of scripts.suites"
    )
    found.add_argument("--runtime", choices=list(SUITES), help="only this runtime's unit tests")
    return found


def suite(name: str, counts: Path, *arguments: str) -> Step:
    """The step that runs a runtime's unit tests in its environment, or another suite in the test environment."""
    environment, title = ("test", TITLES[name]) if name in TITLES else (name, f"unit tests: {name}")
    python = HOME / "venvs" / environment / "bin" / "python"
    before = () if name == E2E else POLITELY
    return Step(title, (*before, python, "-m", "scripts.run_pytest", name, str(counts / f"{title}.json"), *arguments))


def tally(result: Result, counts: Path) -> Counter[str]:
    """How many tests had each outcome.

    A linter counts as one test. A pytest that failed without a failed test (it found none, or crashed) counts as an
    error.
    """
    if result.name.startswith("lint"):
        return Counter({"failed" if result.code else "passed": 1})
    found = Counter(json.loads(counts.read_text())) if counts.is_file() else Counter()
    if result.code and not found["failed"] and not found["error"]:
        found["error"] += 1
    return found


def describe(found: Counter[str]) -> str:
    """For example ``2 failed, 130 passed, 1 error``."""
    plural = {"error": "errors"}
    parts = [f"{found[name]} {plural.get(name, name) if found[name] > 1 else name}" for name in OUTCOMES if found[name]]
    return ", ".join(parts) or "no tests"


def closing_line(found: Counter[str], seconds: float) -> str:
    """The totals, as pytest ends its own output."""
    return f" {describe(found)} in {seconds:.2f}s ({timedelta(seconds=int(seconds))}) ".center(WIDTH, "=")


if __name__ == "__main__":
    sys.exit(main())
