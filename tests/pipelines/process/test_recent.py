"""What a plan says of other days: which published ones it is compared with, and whose events no run has taken."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.lake import layout, state_keys
from include.pipelines.process.plan import PlanRequest
from include.pipelines.process.recent import plan_and_compare
from include.pipelines.process.types import ComparedPlan
from include.pipelines.process.unprocessed import remember_reported
from include.workloads import Workload
from tests.support.moto_cloud import ARTIFACT, LAKE, RAW, STATE, MotoCloud
from tests.support.product_settings import product_settings
from tests.support.tiny_workload import tiny_workload

pytestmark = pytest.mark.stack
STREAM = "nightjar-shop"


@pytest.fixture
def shop(cloud: MotoCloud, tmp_path: Path) -> Workload:
    StateHook(STATE).put(*state_keys.watermark_key("shop", "makers"), {"watermark": "2013-03-01T00:00:00.000000Z"})
    ObjectStoreHook().put_once(RAW, layout.raw_table_key("shop", "makers", datetime(2013, 3, 1, tzinfo=UTC), 0), b"x")
    return tiny_workload(tmp_path)


def raw(day: str, name: str = "a") -> None:
    key = f"{layout.raw_prefix('shop', STREAM)}ingest_date={day}/{name}"
    ObjectStoreHook().put_once(RAW, key, b"x")
    ObjectStoreHook().put(LAKE, layout.marker_key("shop", STREAM, date.fromisoformat(day), key), b"")


def published(day: str, run: str = "r", status: str = "published", **item: Any) -> None:
    facts = {"status": status, "run": run, "fingerprint": "f", "code_sha": "old", **item}
    StateHook(STATE).put(*state_keys.day_key("shop", date.fromisoformat(day)), facts)


def planned(shop: Workload, *days: str) -> ComparedPlan:
    for day in days:
        raw(day)
    request = PlanRequest([date.fromisoformat(day) for day in days], datetime(2013, 4, 1, tzinfo=UTC), "abc", "code")
    stores: Any = {"objects": ObjectStoreHook(), "state": StateHook(STATE)}
    return plan_and_compare(shop, request, None, product_settings(), **stores)


def document(plan: ComparedPlan) -> Any:
    return ObjectStoreHook().get_json(ARTIFACT, plan["recent"].removeprefix(f"s3://{ARTIFACT}/"))


def test_published_days_before_the_last_planned_one_are_listed(shop: Workload) -> None:
    for day in ("2013-01-01", "2013-02-28", "2013-03-02", "2013-03-04", "2013-03-05"):
        published(day, f"run-{day}")
    published("2013-03-01", status="refused")
    assert document(planned(shop, "2013-03-01", "2013-03-04")) == {
        "workload": "shop",
        "days": {
            day: f"s3://{LAKE}/staging/shop/run-{day}/statistics/event_date={day}.json"
            for day in ("2013-02-28", "2013-03-02")
        },
    }


def test_what_is_published_later_changes_nothing_and_a_new_run_before_it_does(shop: Workload) -> None:
    published("2013-03-01")
    first = planned(shop, "2013-03-02")
    published("2013-03-02")
    published("2013-03-03")
    again = planned(shop, "2013-03-02")
    assert (again["recent"], again["recent_key"]) == (first["recent"], first["recent_key"])
    published("2013-03-01", "another")
    assert planned(shop, "2013-03-02")["recent_key"] != first["recent_key"]


def test_the_first_day_has_an_empty_list(shop: Workload) -> None:
    assert document(planned(shop, "2013-03-01"))["days"] == {}


def test_events_of_days_that_no_run_has_processed_are_reported(shop: Workload) -> None:
    for day in ("1970-01-01", "2013-02-28", "2013-03-01", "2013-03-03", "2013-04-02", "2099-01-01"):
        raw(day)
    published("2013-03-01", status="refused")
    # Not those of a refused day, of the run's own day, or of the days to come.
    days = "1970-01-01, 2013-02-28, 2099-01-01"
    line = f"raw has events of {days}, which no run has processed: run process with date set to them"
    assert planned(shop, "2013-03-02")["unprocessed"]["lines"] == [line]


def test_people_are_told_once_of_events_that_no_run_has_taken_unless_more_arrive(shop: Workload) -> None:
    def told() -> list[str]:
        """The days that a run's message names; it is sent."""
        unprocessed = planned(shop, "2013-03-20")["unprocessed"]
        remember_reported("shop", unprocessed, StateHook(STATE))
        return [day for day in ("2013-03-01", "2013-03-05") if any(day in line for line in unprocessed["lines"])]

    raw("2013-03-01")
    published("2013-03-05", markers=0)
    raw("2013-03-05")
    assert told() == ["2013-03-01", "2013-03-05"]
    assert told() == []
    raw("2013-03-05", "b")
    assert told() == ["2013-03-05"]


def test_many_days_are_counted(shop: Workload) -> None:
    for day in range(1, 14):
        raw(f"2013-03-{day:02}")
    (line,) = planned(shop, "2013-03-20")["unprocessed"]["lines"]
    assert "2013-03-10, and 3 more days, which" in line


def test_days_of_the_late_window_whose_events_arrived_later_are_planned_and_no_others(shop: Workload) -> None:
    assert planned(shop, "2013-03-20")["markers"] == {"2013-03-20": 1}
    days = ["2013-03-12", "2013-03-13", "2013-03-14", "2013-03-18", "2013-03-20", "2013-03-22"]
    for day in days:
        raw(day)
        published(day, markers=1)
    published("2013-03-18", status="refused", markers=1, reason="half of it is missing")
    assert list(planned(shop, "2013-03-21")["days"]) == ["2013-03-21"]
    for day in days:
        raw(day, "late")
    plan = planned(shop, "2013-03-21")
    late = ["2013-03-14", "2013-03-18", "2013-03-20"]  # 7 days; the 22nd is another run's
    assert (plan["late"], list(plan["days"])) == (late, [*late, "2013-03-21"])
    assert plan["markers"] == {**dict.fromkeys(late, 2), "2013-03-21": 1}
    (line,) = plan["unprocessed"]["lines"]
    assert line.startswith("events of 2013-03-12, 2013-03-13 arrived after these days were processed")
    assert "dataset.late_days is 7" in line and "a backfill" in line
    for day in late:
        published(day, markers=2)
    assert list(planned(shop, "2013-03-21")["days"]) == ["2013-03-21"]


def test_the_late_window_is_the_workloads_and_lies_before_a_range(cloud: MotoCloud, shop: Workload) -> None:
    for day in ("2013-03-01", "2013-03-02", "2013-03-05"):
        raw(day)
        raw(day, "late")
        published(day, markers=1)
    spec = shop.dataset
    short = shop.model_copy(update={"dataset": spec.model_copy(update={"late_days": 2})})
    none = shop.model_copy(update={"dataset": spec.model_copy(update={"late_days": 0})})
    assert planned(shop, "2013-03-04", "2013-03-05", "2013-03-06")["late"] == ["2013-03-01", "2013-03-02"]
    assert planned(short, "2013-03-04", "2013-03-05", "2013-03-06")["late"] == ["2013-03-02"]
    plan = planned(none, "2013-03-06")
    assert plan["late"] == []
    assert plan["unprocessed"]["lines"][-1].startswith("events of 2013-03-01, 2013-03-02, 2013-03-05 arrived")


def test_a_day_that_was_empty_and_is_not_any_more_is_late(shop: Workload) -> None:
    raw("2013-03-03")
    request = PlanRequest([date(2013, 3, 2), date(2013, 3, 3)], datetime(2013, 3, 4, tzinfo=UTC), "abc", "code")
    stores: Any = {"objects": ObjectStoreHook(), "state": StateHook(STATE)}
    plan_and_compare(shop, request, None, product_settings(), **stores)
    item = StateHook(STATE).get(*state_keys.day_key("shop", date(2013, 3, 2)))
    assert item == {"status": "empty", "planned_at": "2013-03-04T00:00:00.000000Z", "code_sha": "abc", "markers": 0}
    assert planned(shop, "2013-03-04")["late"] == []
    raw("2013-03-02")
    assert planned(shop, "2013-03-04")["late"] == ["2013-03-02"]
