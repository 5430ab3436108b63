"""Runs that a run triggers, on a real Airflow: their order, their failures, what is adopted, what a person stops."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from infra.airflow_api import DONE
from tests.support.real_airflow import RealAirflow

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


@pytest.fixture
def name() -> str:
    return f"chunk-{uuid.uuid4().hex[:8]}"


def child(name: str, **conf: bool) -> dict[str, Any]:
    return {"run_id": name, "conf": conf}


def state_of(airflow: RealAirflow, run_id: str) -> str:
    return str(airflow.api.call("GET", f"/dags/child/dagRuns/{run_id}")["state"])


def children(airflow: RealAirflow, name: str) -> dict[str, dict[str, Any]]:
    """The runs of the other DAG whose ids begin with a name, in the order in which they started."""
    found = [run for run in airflow.api.runs("child", 100) if run["dag_run_id"].startswith(name)]
    return {run["dag_run_id"]: run for run in sorted(found, key=lambda run: run["start_date"] or "")}


def instances(airflow: RealAirflow, run: str) -> dict[str, str]:
    """The states of the tasks of a run; a mapped instance has its index behind its task's id."""
    found = airflow.api.call("GET", f"{run}/taskInstances", params={"limit": 100})["task_instances"]
    return {f"{task['task_id']}{task['map_index'] if task['map_index'] >= 0 else ''}": task["state"] for task in found}


def test_runs_start_in_turn_and_one_that_fails_is_red_and_stops_no_other(airflow: RealAirflow, name: str) -> None:
    runs = [child(f"{name}-{number}", fail=number == 1) for number in range(3)]
    run = airflow.trigger("parent", runs=runs)
    assert airflow.ended(run)["state"] == "failed"
    found = children(airflow, name)
    assert [(key, one["state"], one["run_type"]) for key, one in found.items()] == [
        (f"{name}-0", "success", "operator_triggered"),
        (f"{name}-1", "failed", "operator_triggered"),
        (f"{name}-2", "success", "operator_triggered"),
    ]
    ends = [one["end_date"] for one in found.values()]
    assert all(one["start_date"] >= end for one, end in zip(list(found.values())[1:], ends, strict=False))
    states = instances(airflow, run)
    assert (states["chunks.run0"], states["chunks.run1"], states["chunks.run2"]) == ("success", "failed", "success")
    assert states["report"] == "success" and states["end"] == "upstream_failed"
    again = airflow.trigger("parent", runs=runs)
    assert airflow.ended(again)["state"] == "failed"
    assert sorted(children(airflow, name)) == sorted([*found, f"{name}-1-a2"]), "only the failed one has a next attempt"


def test_a_run_that_is_at_work_is_adopted_and_ends_with_the_run_that_a_person_stops(
    airflow: RealAirflow, name: str
) -> None:
    runs = [child(f"{name}-0", hold=True), child(f"{name}-1")]
    first = airflow.trigger("parent", runs=runs)
    airflow.wait(lambda: instances(airflow, first).get("chunks.run0") == "deferred", "the run is waited for")
    airflow.wait(lambda: airflow.states(f"/dags/child/dagRuns/{name}-0").get("hold") == "deferred", "it holds")
    second = airflow.trigger("parent", runs=runs)
    airflow.wait(lambda: instances(airflow, second).get("chunks.run0") == "deferred", "it is adopted")
    assert list(children(airflow, name)) == [f"{name}-0"]
    airflow.api.call("PATCH", second, json={"state": "failed"})
    assert airflow.ended(second)["state"] == "failed"
    assert state_of(airflow, f"{name}-0") == "failed"
    assert airflow.ended(first)["state"] == "failed"
    airflow.wait(lambda: state_of(airflow, f"{name}-1") == "success", "the first one goes on")
    assert "skipped" in instances(airflow, second).values(), "and the stopped one does not"


@pytest.mark.parametrize(("answer", "state"), [("Approve", "success"), ("Reject", "failed")])
def test_a_person_answers_before_anything_starts(airflow: RealAirflow, name: str, answer: str, state: str) -> None:
    run = airflow.trigger("parent", runs=[child(name)], reason="it costs $6")
    airflow.until(run, "approve", "awaiting_input")
    path = f"{run}/taskInstances/approve/-1/hitlDetails"
    assert airflow.api.call("GET", path)["subject"] == "Go on?"

    def ended() -> str | None:
        # Answered at once, the task may be taken for killed (apache/airflow#72716): its retry asks again.
        if (
            instances(airflow, run)["approve"] == "awaiting_input"
            and not airflow.api.call("GET", path)["response_received"]
        ):
            airflow.api.call("PATCH", path, json={"chosen_options": [answer], "params_input": {}})
        found = airflow.api.call("GET", run)["state"]
        return str(found) if found in DONE else None

    assert airflow.wait(ended, "the end") == state
    assert list(children(airflow, name)) == ([name] if answer == "Approve" else [])
