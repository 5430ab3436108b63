"""The plan of a backfill: its days, its chunks, its retrains, and the ids by which runs are adopted."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from include.errors import RefusedError
from include.pipelines.backfill.words import plan_sentence
from include.pipelines.measurements import record
from include.workloads import Workload
from tests.support.backfills import complete_to, march, planned, publish, raw
from tests.support.retrain_runs import Objects, State
from tests.support.tiny_workload import tiny_workload


@pytest.fixture
def shop(tmp_path: Path) -> Workload:
    """A workload whose data sets have a window of five days."""
    return tiny_workload(tmp_path)


@pytest.fixture
def objects(shop: Workload) -> Objects:
    return raw(shop, march(1, 10))


@pytest.fixture
def state(shop: Workload) -> State:
    return complete_to(shop, date(2013, 3, 10))


def test_days_are_cut_into_chunks_and_each_is_a_process_run(shop: Workload, objects: Objects, state: State) -> None:
    plan = planned(shop, objects, state)
    assert [chunk["conf"] for chunk in plan["chunks"]] == [
        {"date": "2013-03-01", "end_date": "2013-03-04"},
        {"date": "2013-03-05", "end_date": "2013-03-08"},
        {"date": "2013-03-09", "end_date": "2013-03-10"},
    ]
    assert [(chunk["rows"], chunk["bytes"]) for chunk in plan["chunks"]] == [(3600, 400), (3600, 400), (1800, 200)]
    assert (plan["rows"], plan["jobs"]) == (9000, 6)
    assert plan["estimate"]["seconds"] is None, "nothing is known without a past run"


def test_each_day_is_in_one_list(shop: Workload, state: State) -> None:
    objects = raw(shop, [*march(1, 4), *march(7, 9)])
    first = planned(shop, objects, state, to_date="2013-03-04")
    publish(first, state, "2013-03-01", "2013-03-02")
    publish(first, state, "2013-03-03", status="refused")
    state.put("watermark#shop", shop.stream.name, {"watermark": "2013-03-09T00:00:00.000000Z"})
    days = planned(shop, objects, state)["days"]
    assert days == {
        "to_process": ["2013-03-04", "2013-03-07", "2013-03-08"],
        "published": ["2013-03-01", "2013-03-02"],
        "refused": ["2013-03-03"],
        "no_raw": ["2013-03-05", "2013-03-06", "2013-03-10"],
        "incomplete": ["2013-03-09"],
    }


def test_a_second_backfill_does_nothing(shop: Workload, objects: Objects, state: State) -> None:
    plan = planned(shop, objects, state)
    publish(plan, state, *plan["days"]["to_process"])
    again = planned(shop, objects, state)
    assert (again["chunks"], again["jobs"], len(again["days"]["published"])) == ([], 0, 10)
    other_code = planned(shop, objects, state, code="another transform")
    assert len(other_code["days"]["to_process"]) == 10
    raw(shop, march(2, 2), objects, "late")
    assert planned(shop, objects, state)["days"]["to_process"] == ["2013-03-02"], "a late event is a new input"


def test_a_refused_day_is_tried_anew_only_with_other_inputs_or_code(
    shop: Workload, objects: Objects, state: State
) -> None:
    """The year of flights has such a day, a blizzard: each backfill of the year paid for two jobs that refused it."""
    plan = planned(shop, objects, state)
    publish(plan, state, *(day for day in plan["days"]["to_process"] if day != "2013-03-02"))
    publish(plan, state, "2013-03-02", status="refused")
    again = planned(shop, objects, state)
    assert (again["chunks"], again["days"]["refused"]) == ([], ["2013-03-02"])
    assert "1 refused already from the same inputs and code" in plan_sentence(again)
    raw(shop, march(2, 2), objects, "late")
    assert planned(shop, objects, state)["days"]["to_process"] == ["2013-03-02"]


def test_a_resumed_backfill_adopts_what_runs_and_repeats_no_day(shop: Workload, objects: Objects, state: State) -> None:
    """The first chunk is published, the second one is at work, and a day of the third was published by a night."""
    plan = planned(shop, objects, state)
    publish(plan, state, *plan["chunks"][0]["days"], "2013-03-09")
    second, third = planned(shop, objects, state)["chunks"]
    assert second["run_id"] == plan["chunks"][1]["run_id"]
    assert third["conf"] == {"date": "2013-03-10"}
    assert third["run_id"] != plan["chunks"][2]["run_id"]


def test_work_on_something_else_has_another_id(shop: Workload, objects: Objects, state: State) -> None:
    def ids(**changes: Any) -> list[str]:
        return [chunk["run_id"] for chunk in planned(shop, objects, state, **changes)["chunks"]]

    before = ids()
    assert ids() == before
    assert not set(ids(code="another transform")) & set(before)
    publish(planned(shop, objects, state, code="older"), state, "2013-03-02", status="refused")
    assert ids()[0] != before[0] and ids()[1:] == before[1:], (
        "a day that other code refused is tried anew, in a new run"
    )


def test_retrains_come_every_seven_days_and_only_with_their_whole_window(
    shop: Workload, objects: Objects, state: State
) -> None:
    plan = planned(shop, objects, state, retrain_every="weekly")
    assert [step["conf"] for step in plan["retrains"]] == [{"date": "2013-03-10", "backfilled": True}]
    assert plan["retrains_left_out"] == ["2013-03-03"], "its window of five days begins before the first day"
    assert plan["jobs"] == 6 + 4


def test_a_retrain_that_was_made_from_the_same_days_is_not_made_again(
    shop: Workload, objects: Objects, state: State
) -> None:
    plan = planned(shop, objects, state, retrain_every="weekly")
    made = {("shop_retrain", step["run_id"]) for step in plan["retrains"]}
    publish(plan, state, *plan["days"]["to_process"])
    again = planned(shop, objects, state, lambda *run: run in made, retrain_every="weekly")
    assert (again["retrains"], again["retrains_done"]) == ([], ["2013-03-10"])
    other_build = planned(shop, objects, state, lambda *run: run in made, retrain_every="weekly", build="def")
    assert [step["day"] for step in other_build["retrains"]] == ["2013-03-10"]


def test_the_estimate_is_made_of_past_runs(shop: Workload, objects: Objects, state: State) -> None:
    for number, days in enumerate((1, 1, 10)):
        found = {"run": f"k{number}", "days": days, "rows": 900 * days, "bytes": 1, "usd": 0.01 * days}
        record("shop", "process", f"2013-03-0{number}", {**found, "seconds": 30 + 2.0 * days}, state)  # type: ignore[typeddict-item]
    estimate = planned(shop, objects, state)["estimate"]
    assert estimate["usd"] and estimate["usd"]["likely"] == pytest.approx(0.1, rel=0.05)
    assert estimate["basis"] == "3 past process runs of 1 to 10 days"


def test_a_table_without_a_snapshot_stops_the_plan(shop: Workload, objects: Objects) -> None:
    with pytest.raises(RefusedError, match="No snapshot of makers"):
        planned(shop, objects, State())
