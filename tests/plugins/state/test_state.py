"""The state table's hook, and the sensors and triggers over it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from nightjar.state.hook import StateHook
from nightjar.state.sensor import DayStatusSensor, WatermarkSensor
from nightjar.state.trigger import DayStatusTrigger, WatermarkTrigger, day_verdict, watermark_verdict

from tests.support.moto_cloud import STATE, MotoCloud

NOW = datetime(2013, 3, 2, tzinfo=UTC)


def fire(trigger: Any) -> dict[str, Any]:
    async def first() -> Any:
        async for event in trigger.run():
            return event.payload

    return asyncio.run(first())


def rebuilt(trigger: Any) -> Any:
    """The trigger as the triggerer makes it, from what was serialized."""
    path, arguments = trigger.serialize()
    assert path == f"nightjar.state.trigger.{type(trigger).__name__}"
    return type(trigger)(**arguments)


def day_sensor(**changes: Any) -> DayStatusSensor:
    arguments = {
        "table": STATE,
        "pk": "day#w",
        "sk": "2013-03-01",
        "deadline_seconds": 60,
        "poll_seconds": 0.01,
        "clock": lambda: NOW,
    }
    return DayStatusSensor(task_id="t", **{**arguments, **changes})


def watermark_sensor(**changes: Any) -> WatermarkSensor:
    arguments = {"table": STATE, "pk": "watermark#w", "sources": ["s", "t"], "at_least": "2013-03-02T00:00:00+00:00"}
    return WatermarkSensor(
        task_id="t", **{**arguments, "deadline_seconds": 60, "poll_seconds": 0.01, "clock": lambda: NOW, **changes}
    )


def deferred(sensor: Any) -> Any:
    with pytest.raises(TaskDeferred) as caught:
        sensor.execute({})
    return caught.value.trigger


# --- the hook ------------------------------------------------------------------------------------------------------------


def test_values_come_back_as_they_went(cloud: MotoCloud) -> None:
    item = {"s": "x", "i": 3, "f": 0.1, "b": True, "n": None, "l": [1, {"k": 2.5}], "big": 10**30}
    state = StateHook(STATE)
    state.put("pk", "sk", item)
    assert state.get("pk", "sk") == item
    assert asyncio.run(state.get_async("pk", "sk")) == item
    assert state.get("pk", "other") is None
    assert asyncio.run(state.get_async("pk", "other")) is None


def test_a_query_gives_every_item_of_a_key(cloud: MotoCloud) -> None:
    state = StateHook(STATE)
    for number in range(3):
        state.put("pk", f"{number}", {"n": number, "pad": "x" * 300_000})
    state.put("other", "0", {"n": 9})
    assert {sk: item["n"] for sk, item in state.query("pk").items()} == {"0": 0, "1": 1, "2": 2}


def test_a_conditional_write_is_refused_when_the_condition_fails(cloud: MotoCloud) -> None:
    state = StateHook(STATE)
    assert state.put_if_absent("pk", "sk", {"revision": 1})
    assert not state.put_if_absent("pk", "sk", {"revision": 9})
    assert state.put_if("pk", "sk", {"revision": 2}, "#r = :old", {":old": 1}, {"#r": "revision"})
    assert not state.put_if("pk", "sk", {"revision": 3}, "#r = :old", {":old": 1}, {"#r": "revision"})
    assert state.get("pk", "sk") == {"revision": 2}


def test_an_error_that_is_no_refusal_is_raised(cloud: MotoCloud) -> None:
    with pytest.raises(Exception, match=r"ResourceNotFound|not found"):
        StateHook("no-such-table").put_if_absent("pk", "sk", {})


# --- the verdicts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", [None, {}, {"status": None}, {"status": "running"}, {"status": "PUBLISHED"}])
def test_anything_but_published_or_refused_is_not_final(item: Any) -> None:
    assert day_verdict(item) is None


def test_watermarks_are_compared_as_times_and_all_must_be_there() -> None:
    at_least = "2013-03-02T00:00:00Z"
    late = {"watermark": "2013-03-01T23:59:59.999999Z"}
    exact = {"watermark": "2013-03-02T00:00:00Z"}
    offset = {"watermark": "2013-03-01T22:00:00-05:00"}
    assert watermark_verdict({"s": exact, "t": offset}, at_least)["status"] == "reached"
    assert watermark_verdict({"s": exact, "t": late}, at_least) is None
    assert watermark_verdict({"s": exact, "t": None}, at_least) is None
    assert watermark_verdict({"s": exact, "t": {}}, at_least) is None


# --- the day's sensor ----------------------------------------------------------------------------------------------------


def test_a_published_day_succeeds_at_once(cloud: MotoCloud) -> None:
    StateHook(STATE).put("day#w", "2013-03-01", {"status": "published", "run": "r1"})
    assert day_sensor().execute({}) == {"status": "published", "run": "r1"}


def test_a_refused_day_fails_for_good_with_the_reason(cloud: MotoCloud) -> None:
    StateHook(STATE).put("day#w", "2013-03-01", {"status": "refused", "reason": "20 % nulls in carrier"})
    with pytest.raises(AirflowFailException, match="2013-03-01 was refused: 20 % nulls in carrier"):
        day_sensor().execute({})


def test_a_day_published_later_wakes_the_sensor(cloud: MotoCloud) -> None:
    sensor = day_sensor()
    trigger = rebuilt(deferred(sensor))
    trigger.deadline = "2999-01-01T00:00:00+00:00"
    StateHook(STATE).put("day#w", "2013-03-01", {"status": "published", "run": "r1"})
    assert sensor.resume({}, fire(trigger)) == {"status": "published", "run": "r1"}


def test_a_day_absent_by_the_deadline_fails_with_a_clear_text(cloud: MotoCloud) -> None:
    sensor = day_sensor()
    trigger = rebuilt(deferred(sensor))
    assert datetime.fromisoformat(trigger.deadline) == NOW + timedelta(seconds=60)
    with pytest.raises(
        AirflowFailException, match=r"neither published nor refused within 60 s .*not there.*process DAG"
    ):
        sensor.resume({}, fire(trigger))


# --- the watermark's sensor ----------------------------------------------------------------------------------------------


def test_a_watermark_that_is_reached_succeeds_at_once_and_later(cloud: MotoCloud) -> None:
    state, sensor = StateHook(STATE), watermark_sensor()
    state.put("watermark#w", "s", {"watermark": "2013-03-02T00:00:00Z"})
    trigger = rebuilt(deferred(sensor))
    trigger.deadline = "2999-01-01T00:00:00+00:00"
    state.put("watermark#w", "t", {"watermark": "2013-03-03T00:00:00Z"})
    assert sensor.resume({}, fire(trigger))["watermarks"] == {"s": "2013-03-02T00:00:00Z", "t": "2013-03-03T00:00:00Z"}
    assert sensor.execute({})["status"] == "reached"


def test_raw_that_is_not_complete_by_the_deadline_fails_with_a_clear_text(cloud: MotoCloud) -> None:
    sensor = watermark_sensor()
    with pytest.raises(AirflowFailException, match=r"not complete up to 2013-03-02T00:00:00.*Run the ingest DAGs"):
        sensor.resume({}, fire(rebuilt(deferred(sensor))))


def test_no_trigger_stops_anything_when_its_task_is_cleared() -> None:
    from airflow.triggers.base import BaseTrigger

    for kind in (DayStatusTrigger, WatermarkTrigger):
        assert getattr(kind, "on_kill", None) is getattr(BaseTrigger, "on_kill", None)
