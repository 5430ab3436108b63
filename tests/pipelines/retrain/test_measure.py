"""What a retrain run took, as the state table keeps it for estimates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from include.pipelines.measurements import newest
from include.pipelines.retrain import measure_run
from tests.support.retrain_runs import State

PLAN: Any = {"planned_at": "2013-03-02T00:00:00.000000Z"}
PREPARED: Any = {"splits": {"train": 800, "validation": 100, "test": 100}}


def measured(instance_type: str, state: State) -> Any:
    jobs: Any = {
        "dataset": {"scanned_bytes": 10**9},
        "digest": {"scanned_bytes": 10**9},
        "training": {"instance_type": instance_type, "billable_seconds": 100},
        "evaluation": {"instance_type": instance_type, "execution_seconds": 50.0, "job_name": "nj-shop-eval-k"},
    }
    return measure_run("shop", PLAN, PREPARED, jobs, datetime(2013, 3, 2, 0, 4, tzinfo=UTC), state)


def test_a_run_is_measured_from_its_plan_to_its_registered_version() -> None:
    state = State()
    found = measured("ml.m5.xlarge", state)
    assert (found["seconds"], found["rows"], found["run"]) == (240, 1000, "nj-shop-eval-k")
    assert found["usd"] == pytest.approx(0.23 * 150 / 3600 + 0.01, abs=1e-4)
    assert newest("shop", "retrain", state) == [found]


def test_an_instance_without_a_price_has_no_known_cost() -> None:
    assert measured("ml.z9.huge", State())["usd"] is None
