"""Which published days a day is compared with."""

from __future__ import annotations

from typing import Any

import pytest
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.pipelines.process.recent import with_recent_days
from include.pipelines.process.types import ComparedPlan, ProcessPlan
from tests.support.moto_cloud import ARTIFACT, LAKE, STATE, MotoCloud
from tests.support.product_settings import product_settings

pytestmark = pytest.mark.stack


def listed(*days: str) -> ComparedPlan:
    plan: ProcessPlan = {
        "days": dict.fromkeys(days, "f"),
        "days_text": ",".join(days),
        "inputs": "s3://a/inputs.json",
        "submit_key": "k",
        "planned_at": "2013-03-03T00:00:00.000000Z",
        "code_sha": "abc",
    }
    return with_recent_days("shop", plan, product_settings(), objects=ObjectStoreHook(), state=StateHook(STATE))


def document(found: ComparedPlan) -> Any:
    return ObjectStoreHook().get_json(ARTIFACT, found["recent"].removeprefix(f"s3://{ARTIFACT}/"))


def published(day: str, run: str = "r", status: str = "published") -> None:
    StateHook(STATE).put("day#shop", day, {"status": status, "run": run})


def test_published_days_before_the_last_planned_one_are_listed(cloud: MotoCloud) -> None:
    for day in ("2013-01-01", "2013-02-28", "2013-03-02", "2013-03-04", "2013-03-05"):
        published(day, f"run-{day}")
    published("2013-03-01", status="refused")
    assert document(listed("2013-03-01", "2013-03-04")) == {
        "workload": "shop",
        "days": {
            day: f"s3://{LAKE}/staging/shop/run-{day}/statistics/event_date={day}.json"
            for day in ("2013-02-28", "2013-03-02")
        },
    }


def test_what_is_published_later_changes_nothing_and_a_new_run_before_it_does(cloud: MotoCloud) -> None:
    published("2013-03-01")
    first = listed("2013-03-02")
    published("2013-03-02")
    published("2013-03-03")
    assert listed("2013-03-02") == first
    published("2013-03-01", "another")
    assert listed("2013-03-02")["recent_key"] != first["recent_key"]


def test_the_first_day_has_an_empty_list(cloud: MotoCloud) -> None:
    assert document(listed("2013-03-01"))["days"] == {}
