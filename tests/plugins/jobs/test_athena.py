"""One query for a key; AWS's reason in the failure.

moto ignores the client token: that it makes the submit idempotent is tested on the local cloud.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from moto.athena.models import athena_backends
from nightjar.jobs.athena.query import AthenaQuery
from nightjar.jobs.athena.results import query_rows
from nightjar.jobs.athena.submit import START_TOLERANCE, SubmitAthenaQueryOperator
from nightjar.jobs.sensor import JobSensor
from nightjar.jobs.stop import StopJobsOperator

from tests.support.job_clouds import ACCOUNT, REGION, KilledTaskInstance, TaskInstance, context, fire

pytestmark = pytest.mark.stack


@pytest.fixture
def athena(aws: Any) -> Any:
    client = aws("athena")
    client.create_work_group(
        Name="nightjar", Configuration={"ResultConfiguration": {"OutputLocation": "s3://artifact/athena/"}}
    )
    return client


def query(identifier: str) -> Any:
    return athena_backends[ACCOUNT][REGION].executions[identifier]


def submit() -> SubmitAthenaQueryOperator:
    return SubmitAthenaQueryOperator(
        task_id="submit",
        query="UNLOAD (SELECT 1) TO 's3://lake/${submit_key}/'",
        database="d",
        workgroup="nightjar",
        submit_key="key",
    )


def sensor(identifier: str) -> JobSensor:
    return JobSensor(task_id="sense", job=AthenaQuery(identifier), poll_seconds=0.05)


def sense(identifier: str) -> Any:
    try:
        return sensor(identifier).execute(context())
    except TaskDeferred as deferred:
        return sensor(identifier).execute_complete(context(), fire(deferred.trigger))


def test_the_key_is_in_the_query(athena: Any) -> None:
    ti = TaskInstance()
    identifier = submit().execute(context(ti=ti))
    assert query(identifier).query == "UNLOAD (SELECT 1) TO 's3://lake/key/'\n-- submit-key: key"
    described = AthenaQuery(identifier).describe(athena)
    assert AthenaQuery(identifier).submit_key(described) == "key"
    assert ti.xcoms["submit_key"] == "key"


def test_a_query_that_fails_at_once_is_not_started_for_ever(athena: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.athena import models

    monkeypatch.setattr(models.Execution, "status", property(lambda self: "FAILED"), raising=False)
    submit().execute(context())
    assert len(athena_backends[ACCOUNT][REGION].executions) == 1


def test_the_sensor_defers_and_succeeds(athena: Any) -> None:
    identifier = submit().execute(context())
    with pytest.raises(TaskDeferred) as deferred:
        sensor(identifier).execute(context())
    query(identifier).status = "SUCCEEDED"
    result = sensor(identifier).execute_complete(context(), fire(deferred.value.trigger))
    assert result["query_execution_id"] == identifier


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_failed_query_shows_itself(athena: Any, state: str) -> None:
    identifier = submit().execute(context())
    query(identifier).status = state
    with pytest.raises(AirflowFailException, match="UNLOAD"):
        sensor(identifier).execute(context())


def test_teardown_stops_a_query_that_runs(athena: Any) -> None:
    identifier = submit().execute(context())
    jobs = [AthenaQuery(identifier)]
    assert StopJobsOperator(task_id="stop", jobs=jobs).execute(context()) == [identifier]


def test_on_the_local_cloud_a_token_makes_one_query_and_a_failed_one_the_next_attempt(on_cloud: Any) -> None:
    on_cloud.client("s3").create_bucket(Bucket="artifact-athena")
    client = on_cloud.client("athena")
    where = {"ResultConfiguration": {"OutputLocation": "s3://artifact-athena/athena/"}}
    client.create_work_group(Name="nightjar", Configuration=where)
    on_cloud.client("glue").create_database(DatabaseInput={"Name": "d"})

    def submit(sql: str, key: str) -> SubmitAthenaQueryOperator:
        return SubmitAthenaQueryOperator(
            task_id="submit", query=sql, database="d", workgroup="nightjar", submit_key=key
        )

    with pytest.raises(SystemExit):
        submit("SELECT 7/2 AS three", "good").execute(context(ti=KilledTaskInstance()))
    identifier = submit("SELECT 7/2 AS three", "good").execute(context())
    sense(identifier)
    assert len(client.list_query_executions(WorkGroup="nightjar")["QueryExecutionIds"]) == 1
    assert query_rows(identifier) == [{"three": "3"}]

    failed = submit("SELECT nothing FROM nowhere", "bad").execute(context())
    with pytest.raises(AirflowFailException, match="nowhere"):
        sense(failed)
    time.sleep(START_TOLERANCE.total_seconds() + 1)  # a person's clear comes later than that
    ti = TaskInstance()
    assert submit("SELECT nothing FROM nowhere", "bad").execute(context(ti=ti)) != failed
    assert ti.xcoms["submit_key"] == "bad-a2"
