"""The plan of a retrain run: window, cut-off, queries and keys."""

from __future__ import annotations

from datetime import UTC, date, datetime

from include.lake import days as calendar
from include.pipelines.retrain import DatasetPlan, plan_dataset
from include.pipelines.retrain.plan import window
from include.workloads import load
from tests.support.retrain_runs import SETTINGS, published_days

FLIGHTS = load("flights")
DAY = date(2013, 5, 1)


def plan(**runs: str) -> DatasetPlan:
    return plan_dataset(FLIGHTS, DAY, SETTINGS, "sha", published_days(**runs), datetime(2026, 1, 1, tzinfo=UTC))


def test_the_data_set_is_taken_at_the_end_of_the_day() -> None:
    planned = plan()
    assert (planned["day"], planned["cutoff"]) == ("2013-05-01", "2013-05-02T00:00:00.000000Z")
    assert "s3://lake/datasets/flights/${submit_key}/" in planned["dataset_query"]
    assert planned["digest_key"] == f"{planned['key']}-digest"


def test_the_plan_changes_when_a_day_of_the_window_is_published_again_and_not_otherwise() -> None:
    planned = plan(**{"2013-05-01": "a"})
    assert plan(**{"2013-05-01": "a"}) == planned
    assert plan(**{"2013-05-01": "b"})["key"] != planned["key"]
    assert plan(**{"2013-05-01": "a", "2013-05-02": "c"})["key"] == planned["key"]


def test_the_window_is_the_days_before_the_cutoff() -> None:
    days = window(FLIGHTS, calendar.cutoff(DAY))
    dataset = FLIGHTS.dataset
    assert days[-1] == DAY
    assert len(days) == dataset.train_days + dataset.validation_days + dataset.test_days
