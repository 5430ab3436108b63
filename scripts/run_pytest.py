"""``python -m scripts.run_pytest SUITE COUNTS [ARGUMENT ...]``: runs pytest in the environment of this interpreter.

``SUITE`` is one of ``scripts.suites``: a runtime (its unit tests), ``<runtime>-servers`` (its tests with servers or
Spark), ``rest`` (the tests in no runtime's folder), ``terraform`` or ``e2e``. How many passed, failed and so on is
written to the file ``COUNTS`` as JSON. The other arguments are passed to pytest.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from scripts.steps import HOME, ROOT
from scripts.suites import (
    E2E,
    REST,
    SERVERS,
    SUITES,
    TERRAFORM,
    TERRAFORM_FOLDER,
    UNIT,
    module_markers,
    runtime_of,
    with_servers,
)

# The arguments that select a suite's tests
SELECTIONS = {
    **{name: ["-m", UNIT, *folders] for name, folders in SUITES.items()},
    **{with_servers(name): ["-m", SERVERS, *folders] for name, folders in SUITES.items()},
    REST: ["-m", f"not {E2E}"],
    TERRAFORM: [TERRAFORM_FOLDER],
    E2E: ["-m", E2E, "tests/e2e"],
}
OUTCOMES = ("failed", "passed", "skipped", "xfailed", "xpassed", "error")


class Plugin:
    """Selects the modules of one suite, and writes the counts."""

    def __init__(self, suite: str, counts: Path) -> None:
        self._suite = suite
        self._counts = counts

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leaves out what is no part of the suite, so that it is not imported."""
        if self._suite == REST:
            path = collection_path.relative_to(ROOT)
            return runtime_of(path) is not None or path.is_relative_to(TERRAFORM_FOLDER) or None
        if self._suite in SUITES and collection_path.suffix == ".py":
            # A module without unit tests may import packages that the runtime does not have.
            return bool(module_markers(collection_path.read_text())) or None
        return None

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Writes how many tests had each outcome."""
        counts = {outcome: len(terminalreporter.stats.get(outcome, ())) for outcome in OUTCOMES}
        self._counts.write_text(json.dumps(counts))


def add_pytest() -> None:
    """Makes pytest importable where the environment does not have it.

    Set-up installs requirements/pytest.txt into one folder for each Python version (hypothesis is compiled). The folder
    is appended to sys.path, so it never shadows a package that the runtime pins. It does supply what pytest and
    hypothesis depend on (packaging, pygments, pluggy, iniconfig, sortedcontainers): if a runtime lacks one of these, no
    test notices.
    """
    if importlib.util.find_spec("pytest") is None:
        sys.path.append(str(HOME / "pytest" / f"{sys.version_info.major}.{sys.version_info.minor}"))


def main(suite: str, counts: str, *arguments: str) -> int:
    """Runs the suite and returns pytest's exit code."""
    add_pytest()
    import pytest

    code = pytest.main([*SELECTIONS[suite], *arguments], plugins=[Plugin(suite, Path(counts))])
    if code == pytest.ExitCode.NO_TESTS_COLLECTED and suite not in SUITES:
        return 0  # not every runtime has tests with servers
    return int(code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
