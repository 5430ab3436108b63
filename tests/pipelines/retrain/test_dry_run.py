"""A dry run of retrain: its report, made from what is known, and that it changes nothing."""

from __future__ import annotations

import re
from datetime import date

import pytest

from include.errors import NothingToDoError
from include.lake.days import cutoff, day_range
from include.pipelines.retrain import LiveStateError, RetrainHooks
from include.pipelines.retrain.dry_run import report_dry_run
from include.pipelines.retrain.window import window
from include.workloads import load
from tests.support.ecs_in_memory import EcsInMemory
from tests.support.packages import PACKAGES, Registry
from tests.support.retrain_runs import Objects, State, make_live, published_days

FLIGHTS = load("flights")
DAY = date(2013, 5, 1)


def state(*refused: str, first: str = "2013-01-01", last: str = "2013-05-01") -> State:
    """Every day is published, some are refused."""
    days = day_range(date.fromisoformat(first), date.fromisoformat(last))
    found = published_days(**{str(day): "r" for day in days})
    for day in refused:
        found.put("day#flights", day, {"status": "refused", "run": "r"})
    return found


def report(found: State, packages: object = (), is_backfill: bool = False, tolerated: int = 0) -> str:
    dataset = FLIGHTS.dataset.model_copy(update={"missing_days": tolerated})
    workload = FLIGHTS.model_copy(update={"dataset": dataset})
    hooks = RetrainHooks(Objects(), found, Registry(packages), EcsInMemory())  # type: ignore[arg-type]
    items = dict(found.items)
    with pytest.raises(NothingToDoError) as raised:
        report_dry_run(workload, DAY, hooks, is_backfill=is_backfill)
    assert found.items == items, "it writes nothing"
    return str(raised.value)


def test_it_says_what_it_would_train_on_and_with_whom_it_would_compare() -> None:
    found = state()
    make_live(found, 3, 2)
    days = window(FLIGHTS, cutoff(DAY))
    text = report(found, PACKAGES)
    assert text == (
        f"Dry run: would train on {len(days)} of the {len(days)} days {days[0]} to {days[-1]}, as known at "
        "2013-05-02T00:00:00.000000Z. The candidate would be compared with version 3, which is live."
    )


def test_it_says_what_it_would_tune_and_what_that_would_cost() -> None:
    tuning = "Tuning: 12 trials, 2 at a time, at most $0.46 of the budget of $1.00."
    with pytest.raises(NothingToDoError, match=rf"{re.escape(tuning)} The candidate would"):
        report_dry_run(
            FLIGHTS,
            DAY,
            RetrainHooks(Objects(), state(), Registry(()), EcsInMemory()),
            is_backfill=False,
            tuning=tuning,
        )


def test_refused_and_missing_days_are_named_and_the_wait_too() -> None:
    text = report(state("2013-04-03", last="2013-04-29"))
    assert (
        "It would wait until 2013-05-01 is processed. It would fail. Days missing in the data set's window: 2" in text
    )
    assert "2013-04-03 was refused" in text and "2013-04-30 was never processed" in text
    assert "no version to be compared with" in text
    assert "It would wait" not in report(state("2013-05-01")) and "It would fail" in report(state("2013-05-01"))
    tolerant = report(state("2013-04-03", "2013-05-01"), tolerated=2)
    assert "It would fail" not in tolerant and "Trained without days of its window: 2013-04-03" in tolerant


def test_a_backfilled_run_is_compared_with_the_version_of_its_time() -> None:
    text = report(state(), PACKAGES, is_backfill=True)
    assert "compared with version 3, the newest approved one of its time. As a backfilled version" in text


def test_a_lost_record_of_what_is_live_is_said() -> None:
    lost = state()
    make_live(lost, 3)
    lost.items["live#flights", "pointer"]["version"] = 4
    hooks = RetrainHooks(Objects(), lost, Registry(PACKAGES), EcsInMemory())
    with pytest.raises(LiveStateError):
        report_dry_run(FLIGHTS, DAY, hooks, is_backfill=False)
