"""What is wrong with a workload folder, said by file and field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """One mistake: the file, the field's dotted path ("" for the whole file) and what to do about it."""

    file: str
    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: {self.text}" if self.field else f"{self.file}: {self.text}"


class WorkloadError(ValueError):
    """A workload folder that cannot be used. ``workload`` is its name, ``problems`` holds every mistake found; the text is a
    line each.
    """

    def __init__(self, workload: str, problems: Iterable[Problem]) -> None:
        self.workload = workload
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[WorkloadError], tuple[str, tuple[Problem, ...]]]:
        return type(self), (self.workload, self.problems)
