"""``python -m scripts.run_pytest SUITE COUNTS [ARGUMENT ...]``: runs pytest in the environment of this interpreter.

``SUITE`` is a runtime of ``scripts.suites``, ``e2e`` for the end-to-end tests, or ``rest`` for all tests that belong to
no runtime. How many passed,
failed and so on is written to the file ``COUNTS`` as JSON. The other arguments are passed to pytest.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.steps import HOME, ROOT
from scripts.suites import SUITES, UNIT, module_markers, runtime_of

if TYPE_CHECKING:
    import pytest

REST, E2E = "rest", "e2e"
OUTCOMES = ("failed", "passed", "skipped", "xfailed", "xpassed", "error")


class Plugin:
    """Selects the tests of one suite, and writes the counts."""

    def __init__(self, suite: str, counts: Path) -> None:
        self._suite = suite
        self._counts = counts

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Does not import a module without unit tests: it may import packages that the runtime does not have."""
        if self._suite in (REST, E2E) or collection_path.suffix != ".py":
            return None
        return bool(module_markers(collection_path.read_text())) or None

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Deselects the runtimes' unit tests when the suite is ``rest``."""
        if self._suite != REST:
            return
        others = [item for item in items if _runtime(item)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if not _runtime(item)]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Writes how many tests had each outcome."""
        counts = {outcome: len(terminalreporter.stats.get(outcome, ())) for outcome in OUTCOMES}
        self._counts.write_text(json.dumps(counts))


def _runtime(item: pytest.Item) -> str | None:
    markers = (marker.name for marker in item.iter_markers())
    return runtime_of(item.path.relative_to(ROOT), markers)


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

    selections = {REST: [], E2E: ["-m", E2E, "tests/e2e"]}
    selection = selections[suite] if suite in selections else ["-m", UNIT, *SUITES[suite]]
    return int(pytest.main([*selection, *arguments], plugins=[Plugin(suite, Path(counts))]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
