"""The failure message: its text, its topic, and that the callback never raises."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from nightjar.callbacks import describe_failure, end_run_over_time, notify_failure, publish_warnings
from nightjar.triggered_runs import TriggeredRunFailedError

from tests.support.moto_cloud import MotoCloud

INSTANCE = SimpleNamespace(
    dag_id="w_process", task_id="gate", run_id="manual__1", try_number=3, map_index=2, log_url="http://127.0.0.1/log"
)


def context(error: Any) -> dict[str, Any]:
    return {"ti": INSTANCE, "exception": error}


def test_the_message_names_dag_task_run_try_reason_and_log() -> None:
    subject, message = describe_failure(context(ValueError("first line\n" + "\n".join(map(str, range(100))))))
    assert subject == "Nightjar: w_process.gate[2] failed"
    for part in ("w_process", "gate[2]", "manual__1", "Try:  3", "http://127.0.0.1/log", "ValueError: first line"):
        assert part in message
    assert len(message.splitlines()) < 25


@pytest.mark.parametrize("broken", [{}, {"ti": None}, {"ti": object()}, {"exception": "text"}, {"reason": "timed out"}])
def test_a_context_without_its_parts_still_makes_a_message(broken: dict[str, Any]) -> None:
    assert describe_failure(broken)[1]


def test_a_subject_is_never_longer_than_sns_takes() -> None:
    long = SimpleNamespace(**{**vars(INSTANCE), "dag_id": "d" * 200})
    assert len(describe_failure({"ti": long})[0]) == 100


Published = Callable[[], list[dict[str, str]]]


@pytest.fixture
def alerts(cloud: MotoCloud) -> tuple[str, Published]:
    """A topic, and a function that returns what was published to it."""
    topic = cloud.client("sns").create_topic(Name="alerts")["TopicArn"]
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, lambda: [json.loads(one["Body"]) for one in sqs.receive_message(QueueUrl=queue).get("Messages", ())]


@pytest.mark.stack
def test_it_is_published(alerts: tuple[str, Published]) -> None:
    topic, published = alerts
    notify_failure(topic)(context(RuntimeError("boom")))
    assert "RuntimeError: boom" in published()[0]["Message"]


@pytest.mark.stack
@pytest.mark.parametrize(("reason", "count"), [("timed_out", 1), ("task_failure", 0), ("all_tasks_deadlocked", 0)])
def test_a_run_over_its_time_limit_is_published_and_one_that_failed_otherwise_is_left_to_its_tasks(
    alerts: tuple[str, Published], reason: str, count: int
) -> None:
    topic, published = alerts
    dag = SimpleNamespace(dagrun_timeout=timedelta(hours=3), tasks=[])
    end_run_over_time(topic)({"ti": INSTANCE, "dag": dag, "reason": reason})
    messages = published()
    assert len(messages) == count
    assert all("the run was longer than its time limit, 3:00:00" in message["Message"] for message in messages)


@pytest.mark.stack
def test_it_never_raises(cloud: MotoCloud, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        notify_failure("arn:aws:sns:us-east-1:123456789012:gone")(context(RuntimeError("boom")))
    assert "sns:Publish" in caplog.text


@pytest.mark.stack
def test_a_failure_that_another_task_has_notified_is_not_published_again(
    cloud: MotoCloud, caplog: pytest.LogCaptureFixture
) -> None:
    notify = notify_failure("arn:aws:sns:us-east-1:123456789012:gone")
    for error, tried in ((TriggeredRunFailedError("x"), False), (ValueError("x"), True)):
        with caplog.at_level(logging.ERROR):
            notify({**context(error), "dag_run": SimpleNamespace(run_type="backfill")})
        assert bool(caplog.text) is tried


@pytest.mark.stack
def test_warnings_reach_the_topic(alerts: tuple[str, Published]) -> None:
    topic, messages = alerts
    publish_warnings(topic, "S" * 200, [f"line {i}" for i in range(50)], SimpleNamespace(run_type="manual", run_id="r"))
    (message,) = messages()
    assert message["Subject"] == "S" * 100
    lines = message["Message"].splitlines()
    assert lines[0] == "Run:  r" and "line 39" in lines and lines[-1] == "and 10 more"


@pytest.mark.stack
@pytest.mark.parametrize(("lines", "run_type"), [([], "manual"), (["a line"], "backfill")])
def test_nothing_is_published_without_warnings_or_in_a_backfill(
    alerts: tuple[str, Published], lines: list[str], run_type: str
) -> None:
    topic, messages = alerts
    publish_warnings(topic, "S", lines, SimpleNamespace(run_type=run_type, run_id="r"))
    assert messages() == []


@pytest.mark.stack
def test_warnings_that_cannot_be_published_fail_nothing(cloud: MotoCloud, caplog: pytest.LogCaptureFixture) -> None:
    missing = "arn:aws:sns:us-east-1:123456789012:none"
    publish_warnings(missing, "S", ["a line"], SimpleNamespace(run_type="manual", run_id="r"))
    assert "could not be published" in caplog.text


def test_warnings_are_in_the_runs_note_even_of_a_backfill(monkeypatch: pytest.MonkeyPatch) -> None:
    pushed: dict[str, str] = {}
    instance = SimpleNamespace(xcom_push=lambda key, value: pushed.update({key: value}))
    monkeypatch.setattr("nightjar.notes.get_current_context", lambda: {"ti": instance})
    publish_warnings("unused", "S", ["one", "two"], SimpleNamespace(run_type="backfill", run_id="r"))
    assert pushed == {"run_note": "one\ntwo"}
