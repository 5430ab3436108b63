"""The message of a failed run: its text, its topic, and that the callback never raises."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from nightjar import callbacks, teardowns
from nightjar.callbacks import describe_failed_run, notify_failed_run, publish_warnings
from nightjar.failures import FailedTask
from nightjar.notes import REPORTED

from tests.support.moto_cloud import MotoCloud

DAG = SimpleNamespace(dag_id="w_process", dagrun_timeout=timedelta(hours=3), tasks=[])
RUN = SimpleNamespace(
    run_id="scheduled__1",
    run_type="scheduled",
    conf={},
    note=None,
    clear_number=0,
    data_interval_start=datetime(2013, 3, 1, tzinfo=UTC),
)
GATE = FailedTask("gate", "try 3: RefusedError: too few rows. Send the day again.", "http://127.0.0.1/log")
TOLD = FailedTask("wait_day", "try 1: ReportedElsewhereError: the day was refused", is_reported=True)


@pytest.fixture
def failed(monkeypatch: pytest.MonkeyPatch) -> list[FailedTask]:
    """The run's failed tasks."""
    tasks = [GATE]
    monkeypatch.setattr(callbacks, "failed_tasks", lambda instance, dag: tasks)
    return tasks


def context(reason: str = "task_failure", **fields: Any) -> dict[str, Any]:
    run = SimpleNamespace(**{**vars(RUN), **fields})
    return {"ti": SimpleNamespace(task_id="gate"), "dag": DAG, "dag_run": run, "run_id": run.run_id, "reason": reason}


def test_the_message_says_workload_period_task_reason_links_and_the_next_step() -> None:
    subject, message = describe_failed_run(context(), "w", [GATE])
    assert subject == "Nightjar: w_process failed: gate"
    for part in ("Of:    w\n", "from 2013-03-01 00:00", "Task:  gate", "Send the day again", "http://127.0.0.1/log"):
        assert part in message
    assert "/dags/w_process/runs/scheduled__1\n" in message
    assert message.splitlines()[-1] == callbacks.NEXT_STEP


def test_a_run_that_a_person_triggered_is_for_its_params() -> None:
    run = context(conf={"date": "2013-03-02", "end_date": None}, run_type="manual")
    _, message = describe_failed_run(run, "w", [GATE])
    assert "For:   date: 2013-03-02\n" in message


def test_all_failed_tasks_are_in_one_message_and_not_hundreds() -> None:
    tasks = [FailedTask(f"read[{index}]", "try 1: gone") for index in range(40)]
    subject, message = describe_failed_run(context(), "w", tasks)
    assert subject == "Nightjar: w_process failed: 40 tasks"
    assert "read[9]" in message and "read[10]" not in message and "and 30 more" in message


def test_a_run_over_its_time_limit_says_so_and_what_was_open() -> None:
    subject, message = describe_failed_run(context("timed_out"), "w", [])
    assert subject == "Nightjar: w_process was longer than its time limit"
    assert "longer than its time limit, 3:00:00. gate was not finished." in message


def test_a_run_without_a_task_that_failed_by_itself_still_makes_a_message() -> None:
    """Airflow's context then has neither task instance nor run."""
    subject, message = describe_failed_run({"dag": DAG, "run_id": "r", "reason": "all_tasks_deadlocked"}, "w", [])
    assert subject == "Nightjar: w_process failed: no task"
    assert "all_tasks_deadlocked" in message


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
@pytest.mark.parametrize("reason", ["task_failure", "timed_out"])
def test_it_is_published_once(alerts: tuple[str, Published], failed: list[FailedTask], reason: str) -> None:
    topic, published = alerts
    notify_failed_run(topic, "w")(context(reason))
    (message,) = published()
    assert "too few rows" in message["Message"]


@pytest.mark.stack
def test_a_subject_is_cut_to_what_sns_takes(alerts: tuple[str, Published], failed: list[FailedTask]) -> None:
    topic, published = alerts
    failed[:] = [FailedTask("t" * 200, "try 1: gone")]
    notify_failed_run(topic, "w")(context())
    assert len(published()[0]["Subject"]) == callbacks.SUBJECT_LIMIT


@pytest.mark.stack
def test_a_run_whose_backfill_was_reported_is_silent_and_another_is_not(
    alerts: tuple[str, Published], failed: list[FailedTask]
) -> None:
    topic, published = alerts
    notify_failed_run(topic, "w")(context(run_type="backfill", note=f"{REPORTED}\ngate: too few rows"))
    notify_failed_run(topic, "w")(context(run_type="operator_triggered"))
    assert published() == []
    notify_failed_run(topic, "w")(context(run_type="backfill", note="gate: too few rows"))
    assert len(published()) == 1


@pytest.mark.stack
@pytest.mark.parametrize(
    ("tasks", "run", "messages"),
    [
        ([TOLD], {}, 0),
        ([TOLD, GATE], {}, 1),
        ([TOLD], {"run_type": "manual"}, 1),
        ([TOLD], {"clear_number": 1}, 1),
        ([TOLD], {"run_type": "backfill"}, 1),
        ([], {}, 1),
    ],
    ids=["another_runs", "also_its_own", "a_persons", "cleared_by_a_person", "of_a_backfill", "of_no_task"],
)
def test_a_failure_that_another_run_has_reported_is_told_only_to_who_started_this_one(
    alerts: tuple[str, Published],
    failed: list[FailedTask],
    tasks: list[FailedTask],
    run: dict[str, Any],
    messages: int,
) -> None:
    topic, published = alerts
    failed[:] = tasks
    notify_failed_run(topic, "w")(context(**run))
    assert len(published()) == messages


@pytest.mark.stack
def test_it_never_raises(cloud: MotoCloud, failed: list[FailedTask], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        notify_failed_run("arn:aws:sns:us-east-1:123456789012:gone", "w")(context())
    assert "sns:Publish" in caplog.text


@pytest.mark.stack
def test_warnings_reach_the_topic(alerts: tuple[str, Published]) -> None:
    topic, messages = alerts
    run = SimpleNamespace(run_type="manual", run_id="r")
    assert publish_warnings(topic, "S" * 200, [f"line {i}" for i in range(50)], run)
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
    assert not publish_warnings(topic, "S", lines, SimpleNamespace(run_type=run_type, run_id="r"))
    assert messages() == []


@pytest.mark.stack
def test_warnings_that_cannot_be_published_fail_nothing(cloud: MotoCloud, caplog: pytest.LogCaptureFixture) -> None:
    missing = "arn:aws:sns:us-east-1:123456789012:none"
    assert not publish_warnings(missing, "S", ["a line"], SimpleNamespace(run_type="manual", run_id="r"))
    assert "could not be published" in caplog.text


def test_warnings_are_in_the_runs_note_even_of_a_backfill(monkeypatch: pytest.MonkeyPatch) -> None:
    pushed: dict[str, str] = {}
    instance = SimpleNamespace(xcom_push=lambda key, value: pushed.update({key: value}))
    monkeypatch.setattr("nightjar.notes.get_current_context", lambda: {"ti": instance})
    publish_warnings("unused", "S", ["one", "two"], SimpleNamespace(run_type="backfill", run_id="r"))
    assert pushed == {"run_note": "one\ntwo"}


class Teardown:
    """A teardown task's operator."""

    def __init__(self, task_id: str, *, fails: bool = False, can_go_on: bool = True) -> None:
        self.task_id, self.fails, self.can_go_on = task_id, fails, can_go_on
        self.done: list[str] = []

    def prepare_for_execution(self) -> Teardown:
        return self

    def render_template_fields(self, context: Any) -> None:
        self.done.append(f"rendered for {context['run_id']}")

    def end_over_time(self, context: Any) -> None:
        if self.fails:
            raise ConnectionError("AWS does not answer")
        self.done.append("torn down")


def ending(reason: str, tasks: list[Any], **fields: Any) -> dict[str, Any]:
    """The context of a run whose DAG has these tasks."""
    dag = SimpleNamespace(**{**vars(DAG), "tasks": [SimpleNamespace(task_id="gate"), *tasks]})
    return {**context(reason, **fields), "dag": dag}


@pytest.mark.parametrize(
    ("reason", "done"), [("timed_out", ["rendered for scheduled__1", "torn down"]), ("task_failure", [])]
)
def test_over_time_each_teardown_task_does_its_work(reason: str, done: list[str]) -> None:
    working = [Teardown("stop_jobs"), Teardown("end_canary")]
    notify_failed_run("arn:aws:sns:us-east-1:123456789012:t", "w")(ending(reason, working, note=REPORTED))
    assert [task.done for task in working] == [done, done]


@pytest.mark.stack
@pytest.mark.parametrize("note", [None, REPORTED], ids=["of_a_run", "of_a_run_that_was_reported"])
def test_what_could_not_be_ended_is_told_and_counted_and_stops_no_other(
    alerts: tuple[str, Published], failed: list[FailedTask], note: str | None
) -> None:
    topic, published = alerts
    failed[:] = [TOLD]
    failing, working = [Teardown(name, fails=True) for name in ("stop_jobs", "end_canary")], Teardown("stop_more")
    with pytest.raises(ExceptionGroup, match="stop_jobs, end_canary") as raised:
        notify_failed_run(topic, "w")(ending("timed_out", [*failing, working], note=note))
    assert [str(error) for error in raised.value.exceptions] == ["AWS does not answer"] * 2
    assert "torn down" in working.done
    (message,) = published()
    for name in ("stop_jobs", "end_canary"):
        assert f"Task:  {name}\nIt could not end" in message["Message"]
    assert "ConnectionError: AWS does not answer\nNext: " in message["Message"]
    assert "stop_more" not in message["Message"] and teardowns.ENDED not in message["Message"]


@pytest.mark.stack
def test_what_could_not_be_ended_is_counted_though_the_topic_is_gone(
    cloud: MotoCloud, failed: list[FailedTask]
) -> None:
    failing = ending("timed_out", [Teardown("stop_jobs", fails=True)])
    with pytest.raises(ExceptionGroup, match="stop_jobs"):
        notify_failed_run("arn:aws:sns:us-east-1:123456789012:gone", "w")(failing)


@pytest.mark.parametrize(
    ("tasks", "last"),
    [
        ([], [teardowns.NEXT_STEP]),
        ([Teardown("stop_jobs")], [teardowns.ENDED, teardowns.NEXT_STEP]),
        (
            [Teardown("stop_jobs"), Teardown("end_canary", can_go_on=False)],
            [teardowns.ENDED, teardowns.NEXT_STEP_ANEW],
        ),
    ],
    ids=["nothing", "jobs", "a_trial"],
)
def test_the_next_step_over_time_is_a_new_run_where_cleared_tasks_would_miss_what_was_ended(
    tasks: list[Teardown], last: list[str]
) -> None:
    _, message = describe_failed_run(ending("timed_out", tasks), "w", [])
    assert message.split("\n\n")[2:] == last
