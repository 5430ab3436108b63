"""The reaper: stops remote jobs whose run has ended, and records what jobs have cost whose end no sensor saw.

A run's own teardown stops its jobs (ADR 21). What is left: a run that was deleted while its submit task ran, or in the
seconds before its sensor's trigger began; a worker that died with its run; a teardown task that failed. A job is
stopped if runs have asked for it and none of them is at work. A job of a live run is never stopped, and one that no run
has asked for is only reported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from include.lake import state_keys
from include.lake.instants import format_instant, parse_instant
from include.pipelines.cost.ledger import Claim, JobAccounts
from include.pipelines.protocols import StateStore
from include.pipelines.run_states import AT_WORK, RunState, how_ended

_FIRST_LOOK, _OVERLAP = timedelta(days=7), timedelta(days=1)


class RunningJob(Protocol):
    """A job that runs (``nightjar.jobs.sweep.RunningJob``)."""

    @property
    def name(self) -> str:
        """Its id in AWS."""

    @property
    def begun(self) -> datetime:
        """When it was submitted."""

    @property
    def claims(self) -> Sequence[Claim]:
        """The runs that have asked for it."""


class Sweep(Protocol):
    """Looks at the jobs of AWS (``nightjar.jobs.sweep.JobSweep``)."""

    def sweep(self, recorded: Collection[str], since: datetime) -> Sequence[Any]:
        """Records the jobs that have ended, and returns those that run."""

    def stop(self, running: Any) -> str:
        """Stops a job; returns why that was not possible, or nothing."""


@dataclass(frozen=True)
class Orphan:
    """A job to stop.

    Attributes:
        job: The job.
        reason: Why; a part of a sentence.
    """

    job: RunningJob
    reason: str


class Watched(NamedTuple):
    """What the reaper did.

    Attributes:
        stopped: Ids of the jobs that were stopped.
        lines: What a person reads in the run's note.
    """

    stopped: list[str]
    lines: list[str]


def watch_jobs(
    workload: str, sweep: Sweep, state: StateStore, run_state: RunState, present: datetime, grace: timedelta
) -> Watched:
    """Records the jobs that have ended, and stops those that have no run any more.

    Args:
        workload: The workload; jobs of another one are left to that one's monitor.
        sweep: The jobs of AWS.
        state: The state table.
        run_state: Asks Airflow for the state of a run.
        present: The present.
        grace: A job is left alone for so long after it was submitted, and after a run has asked for it.
    """
    since = _since(workload, state, present)
    recorded = JobAccounts(workload).recorded(since.date(), present.astimezone(UTC).date(), state)
    running = sweep.sweep(recorded, since)
    state.put(*state_keys.swept_key(workload), {"at": format_instant(present)})
    stopped, lines = [], []
    for orphan in orphans(workload, running, run_state, present, grace):
        failure = sweep.stop(orphan.job)
        if failure:
            lines.append(f"{orphan.job.name} could not be stopped, although {orphan.reason}: {failure}")
        else:
            stopped.append(orphan.job.name)
            lines.append(f"Stopped {orphan.job.name}: {orphan.reason}.")
    return Watched(stopped, [*lines, *unattributed(running, present, grace)])


def orphans(
    workload: str, running: Iterable[RunningJob], run_state: RunState, present: datetime, grace: timedelta
) -> list[Orphan]:
    """Returns the jobs of a workload that runs have asked for of which none is at work."""
    found = []
    for job in running:
        if not job.claims or job.claims[0]["subject"] != workload or not _is_old(job, present, grace):
            continue
        states = {
            (claim["dag_id"], claim["run_id"]): run_state(claim["dag_id"], claim["run_id"]) for claim in job.claims
        }
        if not any(state in AT_WORK for state in states.values()):
            found.append(Orphan(job, " and ".join(how_ended(*run, state) for run, state in states.items())))
    return found


def unattributed(running: Iterable[RunningJob], present: datetime, grace: timedelta) -> list[str]:
    """Says which jobs run that no run has asked for. They are not stopped: a person may have started them."""
    return [
        f"{job.name} has run since {job.begun:%Y-%m-%d %H:%M} UTC, and no run has asked for it: is it needed?"
        for job in running
        if not job.claims and _is_old(job, present, grace)
    ]


def _is_old(job: RunningJob, present: datetime, grace: timedelta) -> bool:
    times = [job.begun, *(parse_instant(claim["at"]) for claim in job.claims)]
    return present - max(times) >= grace


def _since(workload: str, state: StateStore, present: datetime) -> datetime:
    last = state.get(*state_keys.swept_key(workload))
    return parse_instant(last["at"]) - _OVERLAP if last else present - _FIRST_LOOK
