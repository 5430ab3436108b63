"""Analyses where a run's time goes: its critical path, the hops on it, and the time in which no job ran.

Pure functions. Times are seconds since the epoch, spans are ``(begin, end)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Span = tuple[float, float]
ENDS = {"deferred", "success", "failed", "skipped", "up_for_retry", "upstream_failed"}


@dataclass(frozen=True)
class Task:
    """The executions of a task: begin, end and outcome (``deferred``, ``success``, ``failed`` …) of each."""

    runs: tuple[tuple[float, float, str], ...]

    @property
    def begin(self) -> float:
        return self.runs[0][0]

    @property
    def end(self) -> float:
        return self.runs[-1][1]

    @property
    def retries(self) -> int:
        return sum(outcome in ("failed", "up_for_retry") for *_, outcome in self.runs)


def tasks_of(events: Iterable[tuple[float, str, str]]) -> dict[str, Task]:
    """The tasks that ran, by id, from Airflow's event log: ``(seconds, task id, event)`` in order of time."""
    runs: dict[str, list[tuple[float, float, str]]] = {}
    open_runs: dict[str, float] = {}
    for instant, task_id, event in events:
        if event == "running":
            open_runs[task_id] = instant
        elif event in ENDS and task_id in open_runs:
            runs.setdefault(task_id, []).append((open_runs.pop(task_id), instant, event))
    return {task_id: Task(tuple(found)) for task_id, found in runs.items()}


def critical_path(tasks: Mapping[str, Task], upstream: Mapping[str, Iterable[str]]) -> list[str]:
    """The task that ended last, before it the upstream task that ended last, and so on; in order of time."""
    path = [max(tasks, key=lambda task_id: tasks[task_id].end)]
    while before := [task_id for task_id in upstream.get(path[-1], ()) if task_id in tasks]:
        path.append(max(before, key=lambda task_id: tasks[task_id].end))
    return path[::-1]


def hops(path: Sequence[str], tasks: Mapping[str, Task]) -> list[float]:
    """Seconds from the end of each task of the path to the beginning of the next."""
    return [tasks[later].begin - tasks[earlier].end for earlier, later in pairwise(path)]


def outside(span: Span, jobs: Iterable[Span]) -> float:
    """Seconds of the span in which no job ran."""
    left, position = 0.0, span[0]
    for begin, end in sorted(jobs):
        left += max(0.0, min(begin, span[1]) - position)
        position = max(position, end)
    return left + max(0.0, span[1] - position)


def gaps(
    triggered: float, ended: float, path: Sequence[str], tasks: Mapping[str, Task], jobs: Sequence[Span]
) -> dict[str, float]:
    """The seconds of the run in which no job ran, by cause, the largest first."""
    pieces: dict[str, float] = {}

    def add(label: str, begin: float, end: float) -> None:
        pieces[label] = pieces.get(label, 0.0) + outside((begin, end), jobs)

    at = triggered
    for task_id in path:
        task = tasks[task_id]
        add(f"before {task_id} starts", at, task.begin)
        at, previous = task.begin, ""
        for begin, end, outcome in task.runs:
            add(_waiting(task_id, previous), at, begin)
            add(f"{task_id} runs", begin, end)
            at, previous = end, outcome
    add("after the last task", at, ended)
    found = {label: seconds for label, seconds in pieces.items() if seconds > 0}
    return dict(sorted(found.items(), key=lambda piece: -piece[1]))


def _waiting(task_id: str, outcome: str) -> str:
    return f"{task_id} notices the job's end" if outcome == "deferred" else f"{task_id} waits for its retry"
