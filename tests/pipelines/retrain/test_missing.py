"""Days of the window that are not published: they stop a retrain run, or the workload tolerates them and says so."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from include.errors import RefusedError
from include.lake.days import cutoff
from include.pipelines.retrain.missing import missing_days, missing_sentence
from include.pipelines.retrain.plan import DatasetPlan, plan_dataset
from include.workloads import Workload, load
from tests.support.retrain_runs import SETTINGS, State

FLIGHTS = load("flights")
DAY = date(2013, 5, 10)
PUBLISHED: dict[str, Any] = {"status": "published", "run": "r"}
REFUSED: dict[str, Any] = {"status": "refused", "run": "q", "reason": "20 % nulls in carrier"}
EMPTY: dict[str, Any] = {"status": "empty"}


def tolerant(days: int) -> Workload:
    spec = FLIGHTS.dataset.model_copy(update={"missing_days": days})
    return FLIGHTS.model_copy(update={"dataset": spec})


def state(**items: dict[str, Any]) -> State:
    """Days 1 to 10 of May 2013 are published, unless ``items`` (``d5``) says something else; None: no item."""
    days = {f"2013-05-{day:02}": items.get(f"d{day}", PUBLISHED) for day in range(1, 11)}
    return State({("day#flights", day): item for day, item in days.items() if item})


def plan(found: State, tolerated: int = 0) -> DatasetPlan:
    return plan_dataset(tolerant(tolerated), DAY, SETTINGS, "sha", found, datetime(2026, 1, 1, tzinfo=UTC))


def test_days_before_the_first_processed_one_are_not_missing() -> None:
    assert missing_days(FLIGHTS, cutoff(DAY), State()) == {}
    assert missing_days(FLIGHTS, cutoff(DAY), state()) == {}
    assert missing_days(FLIGHTS, cutoff(DAY), state(d1=EMPTY, d2=EMPTY)) == {}, "an empty day begins no history"
    assert missing_days(FLIGHTS, cutoff(DAY), state(d1=REFUSED)) == {"2013-05-01": "was refused: 20 % nulls in carrier"}


def test_days_of_the_window_that_are_refused_empty_or_never_processed_are_missing() -> None:
    found = state(d3=REFUSED, d5=EMPTY, d7={})
    found.put("day#flights", "2013-05-11", EMPTY)  # after the cut-off
    assert missing_days(FLIGHTS, cutoff(DAY), found) == {
        "2013-05-03": "was refused: 20 % nulls in carrier",
        "2013-05-05": "has no events",
        "2013-05-07": "was never processed",
    }


@pytest.mark.parametrize("item", [REFUSED, EMPTY, {}])
def test_a_missing_day_stops_the_retrain(item: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match=r"missing .* 1; dataset\.missing_days of flights allows 0:\n  2013-05-03 "):
        plan(state(d3=item))
    with pytest.raises(RefusedError, match="2; dataset"):
        plan(state(d3=item, d4=item), tolerated=1)


def test_a_tolerated_day_is_left_out_of_the_queries_though_it_was_published_before_it_was_refused() -> None:
    planned = plan(state(d3=REFUSED), tolerated=1)
    assert planned["missing_days"] == {"2013-05-03": "was refused: 20 % nulls in carrier"}
    for query in ("dataset_query", "digest_query"):
        assert planned[query].count("\"event_date\" not in ('2013-05-03')") == 2, "of features and of labels"
    complete = plan(state(), tolerated=1)
    assert complete["missing_days"] == {} and "not in" not in complete["dataset_query"]
    assert complete["key"] != planned["key"]


def test_a_long_list_is_cut() -> None:
    days = {f"d{number}": EMPTY for number in range(2, 10)}
    long = missing_days(FLIGHTS, cutoff(date(2013, 5, 30)), state(**days))
    assert len(long) == 8 + 20
    assert missing_sentence(long).endswith("and 18 more days.")
    assert missing_sentence({"2013-05-03": "has no events"}) == (
        "Trained without days of its window: 2013-05-03 has no events."
    )
    assert missing_sentence({}) == ""
