"""References to jobs in operators: rendered like template fields, into new references."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred
from airflow.serialization.serialized_objects import DagSerialization
from nightjar.jobs.athena.query import AthenaQuery
from nightjar.jobs.athena.submit import SubmitAthenaQueryOperator
from nightjar.jobs.glue.run import GlueRun
from nightjar.jobs.sensor import JobSensor
from nightjar.jobs.stop import StopJobsOperator

QUERY = {"query": "SELECT 1", "database": "d", "workgroup": "w"}


def make(native: bool = False) -> DAG:
    """A query, its sensor and the teardown; both refer to the query by one reference."""
    with DAG("d", schedule=None, render_template_as_native_obj=native) as dag:
        submit = SubmitAthenaQueryOperator(task_id="submit", submit_key="k", **QUERY)
        query: Any = submit.output
        job = AthenaQuery(query)
        templated = GlueRun("{{ params.job }}", "{{ ti.xcom_pull(task_ids='absent') }}")
        sensor = JobSensor(task_id="sense", job=job)
        stop = StopJobsOperator(task_id="stop", jobs=[job, templated]).as_teardown()
        submit >> sensor >> stop
    return dag


def rendered(dag: DAG, task_id: str, xcoms: dict[str, Any]) -> Any:
    """The task as a worker renders it: a copy of the DAG's."""

    def pull(task_ids: str, key: str = "return_value", default: Any = None, map_indexes: Any = None) -> Any:
        return xcoms.get(task_ids, default)

    task = dag.get_task(task_id).prepare_for_execution()
    context: Any = {"ti": SimpleNamespace(xcom_pull=pull), "params": {"job": "transform"}}
    task.render_template_fields(context)
    return task


@pytest.mark.parametrize("native", [False, True])
def test_xcom_references_and_templates_are_rendered_in_a_job(native: bool) -> None:
    dag = make(native)
    assert rendered(dag, "sense", {"submit": "q-1"}).job == AthenaQuery("q-1")
    query, run = rendered(dag, "stop", {"submit": "q-1"}).jobs
    assert query == AthenaQuery("q-1")
    assert run.job_name == "transform"


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("identifier", ["12345678901234567890", "12345e6789", "0123"])
def test_an_xcom_reference_of_digits_stays_text(native: bool, identifier: str) -> None:
    assert rendered(make(native), "sense", {"submit": identifier}).job == AthenaQuery(identifier)


def test_a_job_that_was_never_started_has_no_id() -> None:
    query, run = rendered(make(native=True), "stop", {}).jobs
    assert (query.identifier, run.identifier) == (None, None)


def test_a_second_run_of_the_same_dag_object_renders_anew() -> None:
    dag = make()
    for identifier in ("q-1", "q-2"):
        assert rendered(dag, "sense", {"submit": identifier}).job == AthenaQuery(identifier)
        assert rendered(dag, "stop", {"submit": identifier}).jobs[0] == AthenaQuery(identifier)


def test_the_teardown_gets_no_edge_from_the_submit_task() -> None:
    assert make().get_task("stop").upstream_task_ids == {"sense"}


def test_references_are_serialized_alike_each_time() -> None:
    first, second = (DagSerialization.to_dict(make()) for _ in range(2))
    assert first == second
    assert "GlueRun(job_name=" in str(first)


class Client:
    """Answers with one state after the other; the last one stays."""

    meta = SimpleNamespace(endpoint_url="http://127.0.0.1:1", region_name="us-east-1")

    def __init__(self, *states: str) -> None:
        self.states = list(states)
        self.calls = 0

    def get_query_execution(self, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        self.calls += 1
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"QueryExecution": {"QueryExecutionId": QueryExecutionId, "Status": {"State": state}}}


@pytest.mark.parametrize("patience", [0, 0.2])
def test_a_job_that_lasts_longer_than_the_sensors_patience_is_deferred(
    monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    client = Client("RUNNING")
    monkeypatch.setattr(JobSensor, "hook", SimpleNamespace(conn=client))
    sensor = JobSensor(task_id="sense", job=AthenaQuery("q-1"), poll_seconds=0.05, patience_seconds=patience)
    with pytest.raises(TaskDeferred):
        sensor.execute({})
    assert (client.calls > 1) == (patience > 0)


def test_a_job_that_ends_within_the_sensors_patience_is_not_deferred(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client("QUEUED", "RUNNING", "SUCCEEDED")
    monkeypatch.setattr(JobSensor, "hook", SimpleNamespace(conn=client))
    waits: Any = {"poll_seconds": 0.05, "patience_seconds": 60}
    sensor = JobSensor(task_id="sense", job=AthenaQuery("q-1"), region_name="us-east-1", **waits)
    assert sensor.execute({})["query_execution_id"] == "q-1"
    assert client.calls == 3


def test_references_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        AthenaQuery("q").query_execution_id = "other"  # type: ignore[misc]  # the error is the point
