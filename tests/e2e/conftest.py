"""One laptop stack for all end-to-end tests, whose calls ``make iam`` compares with the policies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.iam_records import CALLS, SuiteRecorder
from tests.support.loop import loop

__all__ = ["loop"]

recorder = SuiteRecorder("usage", Path(__file__).parent)


def pytest_deselected(items: Iterable[pytest.Item]) -> None:
    recorder.deselect(items)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    recorder.add(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    written = recorder.finish(session.config.stash.get(CALLS, None))
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if written and terminal:
        terminal.write_line(f"\n{written}")
