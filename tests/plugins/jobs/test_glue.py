"""One job run for each key, whatever happens to the worker; a sensor that only describes."""

from __future__ import annotations

import time
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferred
from moto.glue.models import glue_backends
from nightjar.jobs.glue.run import GlueRun
from nightjar.jobs.glue.submit import SubmitGlueJobOperator
from nightjar.jobs.sensor import JobSensor
from nightjar.jobs.stop import StopJobsOperator
from nightjar.jobs.trigger import DescribeTrigger

from tests.support.job_clouds import ACCOUNT, REGION, KilledTaskInstance, TaskInstance, context, fire

pytestmark = pytest.mark.stack

JOB = "transform"


@pytest.fixture
def glue(aws: Any) -> Any:
    client = aws("glue")
    client.create_job(
        Name=JOB,
        Role="arn:aws:iam::123456789012:role/job",
        Command={"Name": "glueetl"},
        ExecutionProperty={"MaxConcurrentRuns": 9},
    )
    return client


def runs() -> list[Any]:
    return glue_backends[ACCOUNT][REGION].jobs[JOB].job_runs


def allow_one_run() -> None:
    glue_backends[ACCOUNT][REGION].jobs[JOB].execution_property = {"MaxConcurrentRuns": 1}


def end(state: str, **attributes: str) -> None:
    runs()[-1].status = state
    for name, value in attributes.items():
        setattr(runs()[-1], name, value)


def submit(**options: Any) -> SubmitGlueJobOperator:
    arguments = {"--staging": "s3://lake/staging/${submit_key}/"}
    return SubmitGlueJobOperator(task_id="submit", job_name=JOB, submit_key="key", arguments=arguments, **options)


def sensor(run_id: str) -> JobSensor:
    return JobSensor(task_id="sense", job=GlueRun(JOB, run_id), poll_seconds=0.05)


def test_a_run_has_the_size_that_it_is_given(glue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    size = {"WorkerType": "G.2X", "NumberOfWorkers": 10, "Timeout": 240}
    run_id = submit(size=size).execute(context())
    run = glue.get_job_run(JobName=JOB, RunId=run_id)["JobRun"]
    assert {name: run[name] for name in size} == size


def test_a_killed_worker_starts_no_second_run(glue: Any) -> None:
    with pytest.raises(SystemExit):
        submit().execute(context(ti=KilledTaskInstance()))
    ti = TaskInstance()
    run_id = submit().execute(context(ti=ti))
    assert [run.job_run_id for run in runs()] == [run_id]
    assert ti.xcoms["submit_key"] == "key"


@pytest.mark.parametrize("state", ["STARTING", "RUNNING", "WAITING", "SUCCEEDED"])
def test_a_run_that_is_alive_or_done_is_adopted(glue: Any, state: str) -> None:
    first = submit().execute(context())
    end(state)
    assert submit().execute(context()) == first


@pytest.mark.parametrize("state", ["FAILED", "STOPPED", "STOPPING", "TIMEOUT", "ERROR", "EXPIRED"])
def test_a_run_that_failed_is_followed_by_the_next_attempt(glue: Any, state: str) -> None:
    for attempt in ("key", "key-a2", "key-a3"):
        ti = TaskInstance()
        submit().execute(context(ti=ti))
        end(state)
        assert ti.xcoms["submit_key"] == attempt
        assert runs()[-1].arguments == {"--submit-key": attempt, "--staging": f"s3://lake/staging/{attempt}/"}


def test_fresh_starts_anew_once_a_dag_run(glue: Any) -> None:
    submit().execute(context())
    end("SUCCEEDED")
    fresh = submit(fresh=True).execute(context(run_id="manual__2"))
    assert len(runs()) == 2
    assert submit(fresh=True).execute(context(run_id="manual__2")) == fresh
    assert submit(fresh=True).execute(context(run_id="manual__3")) != fresh
    assert submit(fresh=False).execute(context(run_id="manual__4")) == runs()[0].job_run_id


def test_the_sensor_defers_and_succeeds_with_a_small_result(glue: Any) -> None:
    run_id = submit().execute(context())
    with pytest.raises(TaskDeferred) as deferred:
        sensor(run_id).execute(context())
    end("SUCCEEDED")
    event = fire(deferred.value.trigger)
    result = sensor(run_id).execute_complete(context(), event)
    size = {"worker_type": None, "workers": 0}  # the job of this test states none
    assert result == {"run_id": run_id, "submit_key": "key", "execution_seconds": 123, **size}


def test_a_sensor_that_is_cleared_stops_nothing_and_starts_nothing(glue: Any) -> None:
    run_id = submit().execute(context())
    for _ in range(2):
        with pytest.raises(TaskDeferred) as deferred:
            sensor(run_id).execute(context())
        assert isinstance(deferred.value.trigger, DescribeTrigger)
    assert [run.status for run in runs()] == ["STARTING"]


@pytest.mark.parametrize("state", ["FAILED", "STOPPED", "TIMEOUT", "ERROR"])
def test_a_failed_run_is_shown_with_reason_log_and_link(glue: Any, aws: Any, state: str) -> None:
    run_id = submit().execute(context())
    end(state)
    logs = aws("logs")
    logs.create_log_group(logGroupName="test/log/error")
    logs.create_log_stream(logGroupName="test/log/error", logStreamName=run_id)
    now = int(time.time() * 1000)
    events = [{"timestamp": now + n, "message": f"line {n}"} for n in range(100)]
    logs.put_log_events(logGroupName="test/log/error", logStreamName=run_id, logEvents=events)
    ti = TaskInstance()
    with pytest.raises(AirflowFailException) as failure:
        sensor(run_id).execute(context(ti=ti))
    text = str(failure.value)
    assert f"ended {state}" in text
    assert "line 99" in text and "line 39\n" not in text
    assert "console" not in text, "no console shows a job of this endpoint"
    assert "\n\n" not in text
    assert GlueRun(JOB, run_id).console_link("eu-west-1").endswith(f"region=eu-west-1#/job/{JOB}/run/{run_id}")
    assert state in ti.xcoms["run_note"]


def test_a_refusal_of_aws_fails_the_sensor_but_may_be_retried(glue: Any) -> None:
    run_id = submit().execute(context())
    with pytest.raises(TaskDeferred) as deferred:
        sensor(run_id).execute(context())
    runs().clear()
    event = fire(deferred.value.trigger)
    with pytest.raises(AirflowException, match="EntityNotFound") as failure:
        sensor(run_id).execute_complete(context(), event)
    assert not isinstance(failure.value, AirflowFailException)


def test_teardown_leaves_an_ended_job_and_a_job_never_started_alone(glue: Any) -> None:
    run_id = submit().execute(context())
    end("SUCCEEDED")
    never_started: Any = None
    jobs = [GlueRun(JOB, run_id), GlueRun(JOB, never_started), GlueRun(JOB, "")]
    assert StopJobsOperator(task_id="stop", jobs=jobs).execute(context()) == []


def test_teardown_stops_a_run_that_is_active(glue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = submit().execute(context())
    stopped: list[str] = []
    monkeypatch.setattr(GlueRun, "stop", lambda self, client: stopped.append(self.run_id))  # moto lacks BatchStopJobRun
    assert StopJobsOperator(task_id="stop", jobs=[GlueRun(JOB, run_id)]).execute(context()) == [run_id] == stopped


@pytest.mark.parametrize("value", [12345, 1e20, None])
def test_an_argument_that_a_native_template_made_a_number_is_refused(glue: Any, value: Any) -> None:
    operator = SubmitGlueJobOperator(task_id="submit", job_name=JOB, submit_key="key", arguments={"--code-sha": value})
    with pytest.raises(TypeError, match=r"--code-sha is .*, not a text: pass it as an XCom reference"):
        operator.execute(context())
    assert runs() == []


def test_a_flag_that_was_rendered_as_text_is_refused(glue: Any) -> None:
    with pytest.raises(TypeError, match="fresh is 'False', not a boolean: set render_template_as_native_obj"):
        submit(fresh="False").execute(context())


def test_a_job_at_its_limit_of_concurrent_runs_is_waited_for_without_a_retry(glue: Any) -> None:
    allow_one_run()
    other = glue.start_job_run(JobName=JOB)["JobRunId"]
    task = submit(poll_seconds=0.01)
    with pytest.raises(TaskDeferred) as first:
        task.execute(context())
    with pytest.raises(TaskDeferred) as second:
        task.resume(context(), None, **(first.value.kwargs or {}))
    assert second.value.kwargs == first.value.kwargs, "the deadline moved"
    end("SUCCEEDED")
    assert task.resume(context(), None, **(second.value.kwargs or {})) != other
    assert len(runs()) == 2


def test_a_limit_that_holds_for_too_long_fails_and_says_what_to_do(glue: Any) -> None:
    allow_one_run()
    glue.start_job_run(JobName=JOB)
    with pytest.raises(AirflowFailException, match=r"AWS has been busy for 0 s: .*ConcurrentRunsExceeded"):
        submit(busy_seconds=0).execute(context())
