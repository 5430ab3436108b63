"""The sensor over the state table and its trigger: waiting, waking up, failing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from airflow.triggers.base import BaseTrigger
from botocore.exceptions import ClientError
from nightjar.failures import ReportedElsewhereError
from nightjar.state.hook import Item, StateHook
from nightjar.state.sensor import StateSensor
from nightjar.state.trigger import StateTrigger, items_digest

from infra.laptop.free_ports import free_port
from tests.support.moto_cloud import STATE, MotoCloud

pytestmark = pytest.mark.stack
NOW = datetime(2013, 3, 2, tzinfo=UTC)
FIRST, SECOND = ("pk", "first"), ("pk", "second")


class NeverError(Exception):
    """What the check raises for an item that can never be ready."""


def ready(items: Mapping[tuple[str, str], Item | None], word: str = "ready") -> dict[str, Any] | None:
    """The check of these tests: every item's status is the word."""
    if any(item and item["status"] == "never" for item in items.values()):
        raise NeverError("it will never be ready")
    return {"keys": list(items)} if all(item and item["status"] == word for item in items.values()) else None


def sensor(**changes: Any) -> StateSensor:
    arguments: dict[str, Any] = {
        "table": STATE,
        "keys": [FIRST, SECOND],
        "check": ready,
        "fail": NeverError,
        "unmet": "Not everything is ready",
        "advice": "Make it ready, then clear this task.",
        "deadline_seconds": 60,
        "poll_seconds": 0.01,
        "clock": lambda: NOW,
    }
    return StateSensor(task_id="t", **{**arguments, **changes})


def put(key: tuple[str, str], status: str) -> None:
    StateHook(STATE).put(*key, {"status": status})


def deferred(task: StateSensor) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as caught:
        task.execute({})
    return caught.value


def resumed(task: StateSensor, waiting: TaskDeferred, event: dict[str, Any]) -> Any:
    assert waiting.method_name == "resume"
    return task.resume({}, event, **(waiting.kwargs or {}))


def fire(trigger: BaseTrigger, deadline: str | None = None) -> dict[str, Any]:
    """The event of the trigger as the triggerer makes it from what was serialized."""
    path, arguments = trigger.serialize()
    assert path == "nightjar.state.trigger.StateTrigger"
    remade = StateTrigger(**{**arguments, **({"deadline": deadline} if deadline else {})})

    async def first() -> dict[str, Any]:
        async for event in remade.run():
            return event.payload
        raise AssertionError("the trigger ended without an event")

    return asyncio.run(first())


FUTURE = "2999-01-01T00:00:00+00:00"


def test_a_check_that_holds_succeeds_at_once(cloud: MotoCloud) -> None:
    put(FIRST, "ready")
    put(SECOND, "ready")
    assert sensor().execute({}) == {"keys": [FIRST, SECOND]}


def test_the_check_gets_its_arguments(cloud: MotoCloud) -> None:
    put(FIRST, "done")
    put(SECOND, "done")
    assert sensor(arguments={"word": "done"}).execute({}) == {"keys": [FIRST, SECOND]}


def test_a_key_that_a_template_rendered_as_a_date_is_a_text(cloud: MotoCloud) -> None:
    put(("pk", "2013-03-01"), "ready")
    assert sensor(keys=[("pk", NOW.date() - timedelta(days=1))]).execute({}) == {"keys": [("pk", "2013-03-01")]}


def test_each_change_wakes_the_sensor_which_waits_on_for_the_same_deadline(cloud: MotoCloud) -> None:
    task = sensor()
    waiting = deferred(task)
    deadline = (NOW + timedelta(seconds=60)).isoformat()
    assert waiting.kwargs == {"deadline": deadline}
    put(FIRST, "ready")
    event = fire(waiting.trigger, FUTURE)
    assert event == {"late": False}
    with pytest.raises(TaskDeferred) as again:
        resumed(task, waiting, event)
    assert again.value.kwargs == waiting.kwargs
    assert again.value.trigger.serialize()[1]["deadline"] == deadline
    put(SECOND, "ready")
    event = fire(again.value.trigger, FUTURE)
    assert resumed(task, waiting, event) == {"keys": [FIRST, SECOND]}


def test_a_change_within_a_few_seconds_needs_no_deferral(cloud: MotoCloud) -> None:
    seen: list[Any] = []

    def check(items: Mapping[tuple[str, str], Item | None]) -> Any:
        seen.append(items[FIRST])
        if len(seen) == 2:
            put(FIRST, "ready")
            put(SECOND, "ready")
        return ready(items)

    assert sensor(check=check, patience_seconds=60).execute({}) == {"keys": [FIRST, SECOND]}
    assert seen == [None, None, {"status": "ready"}]


class BusyHook(StateHook):
    """Reads as the state hook does, except where an error is due."""

    due: ClassVar[list[str | None]] = []

    def get(self, pk: str, sk: str) -> Item | None:
        if code := self.due.pop(0) if self.due else None:
            raise ClientError({"Error": {"Code": code, "Message": "slow down"}}, "GetItem")
        return super().get(pk, sk)


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The error of each read in the worker; None, and after the last one: it succeeds."""
    monkeypatch.setattr("nightjar.state.sensor.StateHook", BusyHook)
    monkeypatch.setattr(BusyHook, "due", [])
    return BusyHook.due


@pytest.mark.parametrize("reads_before", [0, 1, 2], ids=["first", "within a look", "second look"])
def test_a_busy_aws_costs_no_try_and_no_change_is_missed(
    cloud: MotoCloud, errors: list[str | None], reads_before: int
) -> None:
    errors += [*[None] * reads_before, "ThrottlingException"]
    task = sensor(patience_seconds=60)
    waiting = deferred(task)
    assert waiting.kwargs == {"deadline": (NOW + timedelta(seconds=60)).isoformat()}
    put(FIRST, "ready")
    put(SECOND, "ready")
    event = fire(waiting.trigger, FUTURE)
    assert event == {"late": False}
    errors.append("ThrottlingException")
    with pytest.raises(TaskDeferred) as again:
        resumed(task, waiting, event)
    assert again.value.kwargs == waiting.kwargs
    assert resumed(task, waiting, fire(again.value.trigger, FUTURE)) == {"keys": [FIRST, SECOND]}


def test_the_deadline_counts_from_before_the_looks_in_the_worker(cloud: MotoCloud, errors: list[str | None]) -> None:
    errors += [None, None, "ThrottlingException"]  # at the second look
    looks: list[Any] = []
    waiting = deferred(
        sensor(check=looks.append, patience_seconds=60, clock=lambda: NOW + timedelta(seconds=len(looks)))
    )
    assert (len(looks), waiting.kwargs) == (1, {"deadline": (NOW + timedelta(seconds=60)).isoformat()})


def test_after_the_deadline_a_busy_aws_is_an_error(cloud: MotoCloud, errors: list[str | None]) -> None:
    waiting = deferred(sensor())
    errors.append("ThrottlingException")
    with pytest.raises(ClientError, match="slow down"):
        resumed(sensor(), waiting, {"late": True})


def test_another_error_is_not_waited_for(cloud: MotoCloud, errors: list[str | None]) -> None:
    errors.append("ResourceNotFoundException")
    with pytest.raises(ClientError, match="slow down"):
        sensor().execute({})


def test_a_change_between_the_look_and_the_trigger_is_not_missed(cloud: MotoCloud) -> None:
    put(FIRST, "early")
    waiting = deferred(sensor())
    put(FIRST, "ready")
    assert fire(waiting.trigger, FUTURE) == {"late": False}


def test_the_trigger_makes_one_client_for_all_its_looks(cloud: MotoCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client takes 13 ms of CPU time and leaves garbage, in the thread in which all triggers run."""
    made, ended, looks = list[Any](), list[Any](), list[Any]()
    make = StateHook.get_async_conn

    async def counted(self: Any) -> Any:
        made.append(await make(self))
        return closing(made[-1])

    @asynccontextmanager
    async def closing(client: Any) -> AsyncIterator[Any]:
        async with client as opened:
            yield opened
        ended.append(client)

    monkeypatch.setattr(StateHook, "get_async_conn", counted)
    put(FIRST, "early")
    waiting = deferred(sensor())

    def seen(items: Mapping[tuple[str, str], Item | None]) -> str:
        looks.append(items)
        return items_digest(items) if len(looks) < 3 else "changed"

    monkeypatch.setattr("nightjar.state.trigger.items_digest", seen)
    assert fire(waiting.trigger, FUTURE) == {"late": False}
    assert (len(looks), len(made), ended) == (3, 1, made)


def test_a_change_in_the_last_look_is_not_late(cloud: MotoCloud) -> None:
    put(FIRST, "early")
    waiting = deferred(sensor())
    put(FIRST, "ready")
    assert fire(waiting.trigger, "2013-01-01T00:00:00+00:00") == {"late": False}


def test_the_trigger_waits_before_it_looks(cloud: MotoCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fires at once meets apache/airflow#72716."""
    waits: list[float] = []
    waiting = deferred(sensor(poll_seconds=7))

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("nightjar.state.trigger.asyncio.sleep", sleep)
    fire(waiting.trigger)
    assert waits == [7]


def test_the_deadline_fails_for_good_with_what_is_missing_and_what_to_do(cloud: MotoCloud) -> None:
    put(FIRST, "early")
    task = sensor()
    waiting = deferred(task)
    event = fire(waiting.trigger)
    assert event == {"late": True}
    with pytest.raises(
        AirflowFailException,
        match=r"^Not everything is ready within 60 s \(pk first is \{'status': 'early'\}; pk second is absent\)\. "
        r"Make it ready, then clear this task\.$",
    ):
        resumed(task, waiting, event)


@pytest.mark.parametrize("is_reported", [True, False])
def test_at_the_deadline_it_says_whether_another_run_has_reported_the_cause(
    cloud: MotoCloud, is_reported: bool
) -> None:
    task = sensor(cause_reported=lambda context: is_reported)
    with pytest.raises(AirflowFailException, match="Make it ready") as caught:
        resumed(task, deferred(task), {"late": True})
    assert isinstance(caught.value, ReportedElsewhereError) is is_reported


@pytest.mark.parametrize("reported", [NeverError, ()])
def test_a_refusal_says_whether_another_run_has_reported_it(cloud: MotoCloud, reported: Any) -> None:
    put(FIRST, "never")
    with pytest.raises(AirflowFailException, match="it will never be ready") as caught:
        sensor(reported=reported).execute({})
    assert isinstance(caught.value, ReportedElsewhereError) is bool(reported)


def test_what_is_ready_when_the_deadline_passes_succeeds(cloud: MotoCloud) -> None:
    task = sensor(keys=[FIRST])
    waiting = deferred(task)
    event = fire(waiting.trigger)
    put(FIRST, "ready")
    assert resumed(task, waiting, event) == {"keys": [FIRST]}


@pytest.mark.parametrize("late", [False, True])
def test_a_refusal_fails_for_good_at_once_and_later(cloud: MotoCloud, late: bool) -> None:
    task = sensor()
    waiting = deferred(task)
    put(FIRST, "never")
    for run in (lambda: task.execute({}), lambda: resumed(task, waiting, {"late": late})):
        with pytest.raises(AirflowFailException, match="it will never be ready"):
            run()


def test_another_error_of_the_check_is_left_to_airflows_retries(cloud: MotoCloud) -> None:
    put(FIRST, "never")
    with pytest.raises(NeverError):
        sensor(fail=()).execute({})


def test_the_trigger_stops_nothing_when_its_task_is_cleared() -> None:
    assert getattr(StateTrigger, "on_kill", None) is getattr(BaseTrigger, "on_kill", None)


def test_a_trigger_that_cannot_reach_aws_waits_on(cloud: MotoCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = deferred(sensor())
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert fire(waiting.trigger) == {"late": True}
