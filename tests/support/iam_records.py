"""Records what the roles did in a suite, for ``make iam``."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.laptop.config import ROOT, LaptopConfig
from infra.laptop.iam import record
from infra.laptop.iam.record import Call, Provoked, Record
from infra.localcloud import request_file


@dataclass(frozen=True)
class Calls:
    """The calls that a local cloud has recorded.

    Attributes:
        policies: Digest of the policies with which the roles were made.
        allowed: How often each call was allowed.
        denied: How often each call was denied, but for what tests have provoked.
    """

    policies: str
    allowed: Mapping[Call, int]
    denied: Mapping[Call, int]


CALLS: pytest.StashKey[dict[str, Calls]] = pytest.StashKey()


def keep(config: pytest.Config, name: str, state: Path, policies: str, provoked: Iterable[Provoked] = ()) -> None:
    """Counts the calls in the request log of a local cloud, for the record that is written at the end of the session.

    Args:
        config: Keeps them.
        name: The record's name.
        state: The state folder of the local cloud; one that never started has made no calls.
        policies: Digest of the policies with which the roles were made.
        provoked: The denials that tests have caused on purpose.
    """
    lines = request_file.read(state) if (state / request_file.NAME).exists() else ()
    config.stash.setdefault(CALLS, {})[name] = Calls(policies, *record.calls(lines, provoked))


@contextmanager
def provoking(provoked: list[Provoked], role: str, action: str) -> Iterator[None]:
    """Notes that the denials of an action in the block are wanted."""
    since = request_file.now()
    try:
        yield
    finally:
        provoked.append(Provoked(role, action, since, request_file.now()))


def functions_of(folder: Path) -> set[str]:
    """The tests of a folder as ``file::function``, from their source."""
    return {
        f"{file.name}::{node.name}"
        for file in folder.glob("test_*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@dataclass
class SuiteRecorder:
    """Follows the tests of one folder, and writes the record at their end.

    The folder's conftest has the methods as hooks of pytest.

    Attributes:
        name: The record's name.
        folder: The folder of the tests.
    """

    name: str
    folder: Path
    outcomes: Counter[str] = field(default_factory=Counter)
    passed: set[str] = field(default_factory=set)
    deselected: int = 0

    def add(self, report: pytest.TestReport) -> None:
        """Counts the outcome of a phase of a test of the folder."""
        file, _, function = report.nodeid.partition("::")
        if not (ROOT / file).is_relative_to(self.folder):
            return
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.outcome] += 1
        if report.when == "call" and report.passed:
            self.passed.add(f"{Path(file).name}::{function.partition('[')[0]}")

    def deselect(self, items: Iterable[pytest.Item]) -> None:
        """Counts the tests of the folder that ``-k`` or ``-m`` left out."""
        self.deselected += sum(item.path.is_relative_to(self.folder) for item in items)

    def incomplete(self) -> str:
        """Why this run is not the whole suite; empty when it is."""
        if self.outcomes["failed"]:
            return f"{self.outcomes['failed']} tests failed"
        missing = sorted(functions_of(self.folder) - self.passed)
        if missing or self.deselected:
            left_out = max(len(missing), self.deselected)
            return f"{left_out} tests did not run or were skipped, for example {(missing or ['one left out by -k'])[0]}"
        return ""

    def finish(self, session: pytest.Session) -> None:
        """Writes the record, and says so."""
        found = session.config.stash.get(CALLS, {}).get(self.name)
        terminal = session.config.pluginmanager.get_plugin("terminalreporter")
        if found:
            told = self.write(found, record.path(LaptopConfig.from_env(), self.name))
            if terminal:
                terminal.write_line(f"\n{told}")

    def write(self, calls: Calls, file: Path) -> str:
        """Writes the record. A part of the suite does not replace the record of a whole one.

        Returns:
            What was done, for people.
        """
        found = Record(
            suite=self.folder.relative_to(ROOT).as_posix(),
            commit=record.commit(),
            time=request_file.now(),
            tests=dict(self.outcomes),
            incomplete=self.incomplete(),
            policies=calls.policies,
            allowed=calls.allowed,
            denied=calls.denied,
        )
        if found.incomplete and not self.outcomes["failed"] and _is_whole(file):
            return f"make iam: {file} keeps the record of a whole suite; in this run {found.incomplete}."
        found.save(file)
        return f"make iam: wrote {file}." + (f" It is incomplete: {found.incomplete}." if found.incomplete else "")


def _is_whole(file: Path) -> bool:
    before = record.load(file)
    return before is not None and not before.incomplete
