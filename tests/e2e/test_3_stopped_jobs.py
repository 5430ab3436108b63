"""Jobs whose sensor a person marks as failed are stopped in AWS, so that nobody pays for them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest

from infra.airflow_api import RunFailedError
from infra.laptop.progress import Reporter
from tests.support.held_jobs import held_jobs
from tests.support.loop import WORKLOAD, Loop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

# Two of these fill the local cloud's query engine for longer than any test takes.
ENDLESS = """
    SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x)
    CROSS JOIN UNNEST(sequence(1, 10000)) AS b(y) CROSS JOIN UNNEST(sequence(1, 10000)) AS c(z)
    WHERE x * y * z % 7 = 3
"""


@contextmanager
def busy_query_engine(loop: Loop) -> Iterator[None]:
    """Fills the query engine, so that the next query stays QUEUED."""
    athena = loop.aws.athena
    queries = [
        athena.start_query_execution(QueryString=ENDLESS, WorkGroup="nightjar")["QueryExecutionId"] for _ in range(2)
    ]
    try:
        yield
    finally:
        for query in queries:
            athena.stop_query_execution(QueryExecutionId=query)


def fail_sensors(loop: Loop, dag: str, *sensors: str, **params: Any) -> list[Any]:
    """Runs a DAG, marks sensors as failed while they are deferred, and returns the ids of the stopped jobs."""
    dag_id = f"{WORKLOAD}_{dag}"
    run_id = loop.airflow.trigger(dag_id, params)
    deadline = time.monotonic() + 600
    while True:
        states = {task["task_id"]: task["state"] for task in loop.airflow.tasks(dag_id, run_id)}
        if all(states.get(sensor) == "deferred" for sensor in sensors):
            break
        assert "failed" not in states.values(), states
        assert time.monotonic() < deadline, f"{sensors} were never deferred: {states}"
        time.sleep(0.2)
    instances = f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances"
    for sensor in sensors:
        loop.airflow.call("PATCH", f"{instances}/{sensor}", json={"new_state": "failed"})
    with pytest.raises(RunFailedError):
        loop.airflow.follow(dag_id, run_id, Reporter())
    stopped = loop.airflow.call("GET", f"{instances}/stop_jobs/xcomEntries/return_value")
    return list(stopped["value"])


def eventually(read: Any, wanted: str) -> None:
    """Waits until a job has the wanted status."""
    deadline = time.monotonic() + 60
    while (status := read()) != wanted:
        assert time.monotonic() < deadline, f"the job is {status}"
        time.sleep(0.2)


@pytest.mark.parametrize("sensor", ["transform", "audit"])
def test_a_glue_run(loop: Loop, sensor: str) -> None:
    with held_jobs(loop.config.state / "cloud", f"{sensor}.py"):
        (run_id,) = fail_sensors(loop, "process", sensor, date=str(loop.days[0]), fresh=True)
    glue = loop.aws.glue
    eventually(lambda: glue.get_job_run(JobName=f"nightjar-{sensor}", RunId=run_id)["JobRun"]["JobRunState"], "STOPPED")


def test_athena_queries(loop: Loop) -> None:
    with busy_query_engine(loop):
        queries = fail_sensors(loop, "retrain", "sense_dataset", "sense_digest", date=str(loop.days[0]), fresh=True)
    assert len(queries) == 2
    for query in queries:
        execution = loop.aws.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        assert execution["Status"]["State"] == "CANCELLED"


def test_a_training_job_and_a_tuning_job(loop: Loop) -> None:
    sensors = ("sense_training", "sense_tuning")
    with held_jobs(loop.config.state / "cloud", "training"):
        training, tuning = fail_sensors(loop, "retrain", *sensors, date=str(loop.days[0]), fresh=True, tune=2)
    sagemaker = loop.aws.sagemaker
    eventually(lambda: sagemaker.describe_training_job(TrainingJobName=training)["TrainingJobStatus"], "Stopped")
    job = {"HyperParameterTuningJobName": tuning}
    status = "HyperParameterTuningJobStatus"
    eventually(lambda: sagemaker.describe_hyper_parameter_tuning_job(**job)[status], "Stopped")


def test_an_evaluation_job(loop: Loop) -> None:
    with held_jobs(loop.config.state / "cloud", "processing"):
        (name,) = fail_sensors(loop, "retrain", "sense_evaluation", date=str(loop.days[0]), fresh=True)
    sagemaker = loop.aws.sagemaker
    eventually(lambda: sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"], "Stopped")


def test_retention_expires_what_nothing_needs_and_every_day_is_read_as_before(loop: Loop) -> None:
    """On the laptop a person may expire what is young. The stopped runs and the dry runs have left data sets."""
    roots = [f"{root}/{WORKLOAD}/" for root in ("staging", "datasets")]
    count = f"select count(*), sum(distance) from {WORKLOAD}_scheduled"
    keys, rows = {key for root in roots for key in loop.keys("lake", root)}, loop.query(count)
    loop.run("retention", older_than_days=0)
    left = {key for root in roots for key in loop.keys("lake", root)}
    assert left < keys and any(key.startswith(roots[1]) for key in left)
    assert loop.query(count) == rows
