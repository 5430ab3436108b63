"""Which running jobs the reaper stops: those that runs have asked for of which none is at work."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from include.pipelines.monitor.reaper import watch_jobs
from tests.support.charges import WORKLOAD, claim
from tests.support.stores_in_memory import ItemsInMemory

NOW, GRACE = datetime(2026, 11, 10, 12, tzinfo=UTC), timedelta(minutes=10)


class Jobs:
    """The jobs of AWS."""

    def __init__(self, *running: Any, failure: str = "") -> None:
        self.running, self.failure = running, failure
        self.stopped: list[str] = []
        self.since: list[datetime] = []

    def sweep(self, recorded: Collection[str], since: datetime) -> Sequence[Any]:
        self.since.append(since)
        return self.running

    def stop(self, running: Any) -> str:
        self.stopped.append(running.name)
        return self.failure


def job(*claims: Any, minutes: float = 60) -> Any:
    return SimpleNamespace(name="nj-1", begun=NOW - timedelta(minutes=minutes), claims=claims)


def watch(jobs: Jobs, states: dict[str, str | None]) -> list[str]:
    return watch_jobs(WORKLOAD, jobs, ItemsInMemory(), lambda dag, run: states[run], NOW, GRACE).lines


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("failed", "has ended (failed)"),
        ("success", "has ended (success)"),
        (None, "does not exist any more"),
    ],
)
def test_a_job_whose_run_has_ended_or_was_deleted_is_stopped(state: str | None, why: str) -> None:
    jobs = Jobs(job(claim(run="r")))
    assert watch(jobs, {"r": state}) == [f"Stopped nj-1: run r of shop_retrain {why}."]
    assert jobs.stopped == ["nj-1"]


@pytest.mark.parametrize("state", ["running", "queued"])
def test_a_job_of_a_run_that_is_at_work_is_left_alone(state: str) -> None:
    jobs = Jobs(job(claim(run="r")))
    assert watch(jobs, {"r": state}) == []
    assert jobs.stopped == []


def test_a_job_that_another_run_has_adopted_is_left_alone_until_that_has_ended_too() -> None:
    jobs = Jobs(job(claim(run="deleted"), claim(run="adopted")))
    watch(jobs, {"deleted": None, "adopted": "running"})
    assert jobs.stopped == []
    (line,) = watch(jobs, {"deleted": None, "adopted": "failed"})
    assert jobs.stopped == ["nj-1"]
    assert "run deleted of shop_retrain does not exist any more and run adopted of" in line


def test_a_job_that_no_run_asked_for_is_reported_and_never_stopped() -> None:
    jobs = Jobs(job())
    (line,) = watch(jobs, {})
    assert "nj-1 has run since 2026-11-10 11:00 UTC, and no run has asked for it" in line
    assert jobs.stopped == []


def test_a_job_of_another_workload_is_left_to_its_own_monitor() -> None:
    jobs = Jobs(job(claim(run="r", subject="other")))
    assert watch(jobs, {"r": "failed"}) == []
    assert jobs.stopped == []


def test_a_job_is_left_alone_for_a_while_after_it_was_submitted_or_asked_for() -> None:
    recent = (NOW - timedelta(minutes=1)).isoformat()
    jobs = Jobs(job(claim(run="r"), minutes=1), job(claim(run="r", at=recent)), job(minutes=1))
    assert watch(jobs, {"r": "failed"}) == []
    assert jobs.stopped == []


def test_a_job_that_cannot_be_stopped_is_reported_with_the_reason() -> None:
    (line,) = watch(Jobs(job(claim(run="r")), failure="AccessDenied"), {"r": "failed"})
    assert line.startswith("nj-1 could not be stopped, although run r") and line.endswith(": AccessDenied")


def test_a_sweep_goes_back_to_a_day_before_the_last_one() -> None:
    jobs, state = Jobs(), ItemsInMemory()
    for now in (NOW, NOW + timedelta(hours=1)):
        watch_jobs(WORKLOAD, jobs, state, lambda dag, run: None, now, GRACE)
    assert jobs.since == [NOW - timedelta(days=7), NOW - timedelta(days=1)]
