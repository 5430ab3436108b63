"""Records what the roles did in a suite, for ``make iam``."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.laptop.config import ROOT, LaptopConfig
from infra.laptop.iam import record
from infra.laptop.iam.record import Call, Provoked, Record
from infra.localcloud import request_file
from infra.localcloud.config import load


@dataclass(frozen=True)
class Calls:
    """The calls of one run folder.

    Attributes:
        config: The settings of the stack whose roles made them.
        policies: Digest of the policies with which the roles were made.
    """

    config: LaptopConfig
    policies: str
    allowed: Mapping[Call, int]
    denied: Mapping[Call, int]


CALLS: pytest.StashKey[Calls] = pytest.StashKey()


def collect(config: LaptopConfig, policies: str, provoked: Iterable[Provoked]) -> Calls:
    """Counts the calls in the request log of a stack's local cloud; a stack that never started has made none."""
    server = config.state / "cloud.yaml"
    lines = request_file.read(load(server).state) if server.exists() else ()
    return Calls(config, policies, *record.calls(lines, provoked))


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

    def finish(self, calls: Calls | None) -> str:
        """Writes the record. A part of the suite does not replace the record of a whole one.

        Returns:
            What was done, for people.
        """
        if calls is None:
            return ""
        file = record.path(calls.config, self.name)
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
