"""Errors in a workload's folder, each with its file and field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from include.errors import NightjarError


class WorkloadProblem(NamedTuple):
    """One mistake in a workload's folder.

    Attributes:
        file: Path of the file.
        field: Dotted path of the field; empty when the whole file is concerned.
        text: What is wrong and what to do about it; it reads as a sentence after the field's name.
    """

    file: str
    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: {self.text}" if self.field else f"{self.file}: {self.text}"


class WorkloadError(NightjarError, ValueError):
    """A workload's folder cannot be used. The text has one line per mistake.

    Attributes:
        workload: Name of the workload.
        problems: Every mistake that was found.
    """

    def __init__(self, workload: str, problems: Iterable[WorkloadProblem]) -> None:
        self.workload = workload
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[WorkloadError], tuple[str, tuple[WorkloadProblem, ...]]]:
        return type(self), (self.workload, self.problems)
