"""What a process run took, as the state table keeps it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.pipelines.measurements import newest, record
from include.pipelines.process.cost import glue_cost
from include.pipelines.process.measure import measure_run
from tests.support.retrain_runs import State

PLANNED = datetime(2013, 3, 2, tzinfo=UTC)
PLAN: Any = {"days": {"2013-03-01": "f"}, "rows": 900, "bytes": 5000, "planned_at": "2013-03-02T00:00:00.000000Z"}


def job(seconds: float, worker: str | None = "G.1X", workers: int = 2) -> Any:
    return {"execution_seconds": seconds, "worker_type": worker, "workers": workers}


def measured(elapsed: float, *jobs: Any, state: State | None = None) -> Any:
    transform, audit = jobs or (job(100), job(50))
    present = PLANNED + timedelta(seconds=elapsed)
    return measure_run("shop", PLAN, "k", {"transform": transform, "audit": audit}, present, state or State())


def test_a_run_is_measured_from_its_plan_to_its_end() -> None:
    state = State()
    found = measured(170, state=state)
    assert (found["seconds"], found["rows"], found["days"]) == (170, 900, 1)
    assert newest("shop", "process", state) == [found]


@pytest.mark.parametrize("elapsed", [20, 3 * 86400])
def test_the_jobs_count_alone_if_they_were_adopted_or_the_run_stood_still(elapsed: float) -> None:
    assert measured(elapsed)["seconds"] == 150


def test_the_cost_is_by_worker_and_second_and_at_least_a_minute_for_each_run() -> None:
    assert glue_cost([job(3600), job(1)]) == pytest.approx(2 * 0.44 * (1 + 1 / 60))
    assert glue_cost([job(3600, "G.2X", 1)]) == pytest.approx(0.88)


def test_a_worker_without_a_price_makes_the_cost_unknown() -> None:
    assert measured(170, job(100, None), job(50))["usd"] is None


def test_the_newest_runs_are_read_and_a_repeated_record_replaces_its_own() -> None:
    state = State()
    for number in (1, 2, 2):
        found: Any = {"run": f"k{number}", "days": number, "rows": 1, "bytes": 1, "seconds": 1.0, "usd": None}
        record("shop", "process", f"2013-03-0{number}", found, state)
    assert [run["days"] for run in newest("shop", "process", state)] == [2, 1]
