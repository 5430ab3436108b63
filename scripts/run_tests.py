"""``make test``: the linters, each runtime's unit tests in its own environment, and all other tests.

The end-to-end tests, which take the longest, run beside everything else. Linters and unit tests run one after another;
the output of each is printed when it ends. All other tests run in the test environment and show their progress. The
last line has the totals in pytest's form, where each linter counts as one test.
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
from scripts.run_pytest import E2E, OUTCOMES, REST
from scripts.steps import HOME, Result, Step
from scripts.suites import SUITES, UNIT

AT_ONCE = 2
WIDTH = 100
# The environment and the title of the suites that are no runtime's.
TITLES = {REST: ("test", "all other tests"), E2E: ("test", "end-to-end tests")}


def main() -> int:
    """Runs what the arguments name.

    Returns:
        1 when anything failed, else 0.
    """
    options = parser().parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nightjar-counts-") as folder:
        counts = Path(folder)
        suites = [suite(name, counts) for name in ([options.runtime] if options.runtime else SUITES)]
        if options.runtime:
            results = steps.run(suites, AT_ONCE)
        elif options.unit:
            results = steps.run(suites, AT_ONCE)
            results.append(steps.run_attached(suite(REST, counts, "-m", UNIT)))
        else:
            with ThreadPoolExecutor(1) as beside:
                end_to_end = beside.submit(steps.run, [suite(E2E, counts)], 1)
                results = steps.run([*lint.linters().values(), *suites], AT_ONCE - 1)
                results.append(steps.run_attached(suite(REST, counts, "-m", f"not {E2E}")))
                results += end_to_end.result()
        tallies = {result.name: tally(result, counts / f"{result.name}.json") for result in results}
    print("\n=== summary")
    for result in results:
        print(f"{describe(tallies[result.name]):<60}{result.seconds:>8.1f} s  {result.name}")
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
    environment, title = TITLES.get(name, (name, f"unit tests: {name}"))
    python = HOME / "venvs" / environment / "bin" / "python"
    return Step(title, (python, "-m", "scripts.run_pytest", name, str(counts / f"{title}.json"), *arguments))


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
