"""What only a real Airflow shows, with jobs of the local cloud.

Runs that a person or a time limit ends: their colour, and their jobs. What a person sees of a run: its note, the reason
of a skip, the links of its tasks. What a person is told: one message for a failed run, none for a retry that succeeds.
"""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from nightjar.failures import NO_REASON

from infra.airflow_api.reasons import refusal
from tests.support.alerts import Alerts
from tests.support.ended_runs import ENDS, mark_failed
from tests.support.localcloud import Cloud
from tests.support.parsed_dags import SETTINGS
from tests.support.real_airflow import RealAirflow

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


@pytest.fixture
def name() -> str:
    return f"nj-{uuid.uuid4().hex[:20]}"


def job_state(cloud: Cloud, name: str) -> str:
    return str(cloud.client("sagemaker").describe_training_job(TrainingJobName=name)["TrainingJobStatus"])


def waiting_run(airflow: RealAirflow, cloud: Cloud, name: str) -> str:
    """A run whose sensor is deferred, and whose trigger asks about the job."""
    run = airflow.trigger("job", name=name)
    airflow.until(run, "sense", "deferred")

    def asked() -> int:
        return sum(request["action"] == "DescribeTrainingJob" for request in cloud.requests())

    before = asked()
    airflow.wait(lambda: asked() > before, "the trigger asks")
    assert airflow.api.call("GET", run)["note"] == f"name: {name}"
    return run


def test_a_run_that_is_marked_failed_ends_failed_and_its_job_is_stopped(
    airflow: RealAirflow, cloud: Cloud, name: str
) -> None:
    run = waiting_run(airflow, cloud, name)
    mark_failed(airflow, run)
    ended = airflow.ended(run)
    assert (ended["state"], ended["note"]) == ("failed", "sense failed: see its log")
    assert airflow.states(run) == {
        "submit_job": "success", "sense": "failed", "last": "upstream_failed", "stop_jobs": "success"
    }  # fmt: skip
    cloud.wait_until(lambda: job_state(cloud, name) == "Stopped")


def test_a_run_that_is_marked_failed_while_no_task_runs_ends_failed(airflow: RealAirflow) -> None:
    run = airflow.trigger("blocked")
    airflow.until(run, "first", "scheduled")
    mark_failed(airflow, run)
    assert airflow.ended(run)["state"] == "failed"


def test_the_link_of_a_job_opens_its_page_in_the_api_server(airflow: RealAirflow, cloud: Cloud, name: str) -> None:
    run = waiting_run(airflow, cloud, name)
    for task in ("submit_job", "sense"):
        link = airflow.api.call("GET", f"{run}/taskInstances/{task}/links")["extra_links"]["Job"]
        answer = httpx.get(link, timeout=60)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8"), link
        assert f"<td>{name}</td>" in answer.text and "<td>InProgress</td>" in answer.text
    foreign = httpx.get(link, headers={"Host": "evil.example"}, timeout=60)
    assert foreign.status_code == 403, "the check of Host is in front of the page"
    mark_failed(airflow, run)
    airflow.ended(run)


def test_the_link_of_a_document_opens_it_and_one_that_no_task_named_is_empty(
    airflow: RealAirflow, cloud: Cloud
) -> None:
    document = {"Bucket": SETTINGS["NIGHTJAR_ARTIFACT_BUCKET"], "Key": "decisions/w/k.json"}
    cloud.client("s3").put_object(**document, Body=b'{"promote": true}')
    run = airflow.trigger("pages")
    assert airflow.ended(run)["state"] == "success"
    links = airflow.api.call("GET", f"{run}/taskInstances/decide/links")["extra_links"]
    assert not links["Evaluation"]
    answer = httpx.get(links["Decision"], timeout=60)
    assert answer.status_code == 200 and "&#34;promote&#34;: true" in answer.text


def test_a_run_over_its_time_limit_ends_failed_its_job_is_stopped_and_a_person_is_told_once(
    airflow: RealAirflow, cloud: Cloud, alerts: Alerts, name: str
) -> None:
    run = waiting_run(airflow, cloud, name)
    airflow.execute_sql("UPDATE dag_run SET start_date = '2013-01-01 00:00:00' WHERE state = 'running'")
    ended = airflow.ended(run)
    assert ended["state"] == "failed"
    cloud.wait_until(lambda: job_state(cloud, name) == "Stopped")
    message = airflow.wait(lambda: alerts.of(ended["dag_run_id"]), "the message")
    assert "The run was longer than its time limit, 1:00:00. sense was not finished." in message


def test_the_job_of_a_deleted_run_is_stopped(airflow: RealAirflow, cloud: Cloud, name: str) -> None:
    run = waiting_run(airflow, cloud, name)
    airflow.api.call("PATCH", "/dags/job", json={"is_paused": True})  # Airflow deletes no run that is running
    try:
        airflow.api.call("PATCH", run, json={"state": "queued"})
        airflow.api.call("DELETE", run)
        cloud.wait_until(lambda: job_state(cloud, name) == "Stopped")
    finally:
        airflow.api.call("PATCH", "/dags/job", json={"is_paused": False})


@pytest.mark.parametrize("how", ENDS)
def test_the_reaper_stops_the_job_of_a_run_that_has_ended_and_of_no_other(
    airflow: RealAirflow, cloud: Cloud, name: str, how: str
) -> None:
    """The DAG has no teardown task and no sensor, so nothing else stops its jobs."""
    end, why = ENDS[how]
    run = airflow.trigger("left", name=name, die=how == "its worker killed")
    airflow.until(run, "submit_job", "success")
    if how != "its worker killed":
        airflow.until(run, "hold", "scheduled")
        airflow.ended(airflow.trigger("reap"))
        assert job_state(cloud, name) == "InProgress", "its run is at work"
    end(airflow, run)
    assert job_state(cloud, name) == "InProgress"
    note = airflow.ended(airflow.trigger("reap"))["note"]
    assert f"Stopped {name}: run " in note and f" of left {why}." in note
    cloud.wait_until(lambda: job_state(cloud, name) == "Stopped")


def test_a_sensor_that_is_cleared_stops_nothing(airflow: RealAirflow, cloud: Cloud, name: str) -> None:
    run = waiting_run(airflow, cloud, name)
    instance: dict[str, Any] = airflow.api.call("GET", f"{run}/taskInstances/sense")
    body = {"dag_run_id": instance["dag_run_id"], "task_ids": ["sense"], "dry_run": False, "only_failed": False}
    airflow.api.call("POST", "/dags/job/clearTaskInstances", json=body)

    def deferred_again() -> bool:
        now = airflow.api.call("GET", f"{run}/taskInstances/sense")
        return bool(now["state"] == "deferred" and now["start_date"] > instance["start_date"])

    airflow.wait(deferred_again, "the sensor is deferred again")
    assert job_state(cloud, name) == "InProgress"
    mark_failed(airflow, run)
    assert airflow.ended(run)["state"] == "failed"


def test_a_run_waits_for_the_end_of_another_dags_runs(airflow: RealAirflow, cloud: Cloud, name: str) -> None:
    run = waiting_run(airflow, cloud, name)
    after = airflow.trigger("after")
    airflow.until(after, "wait_job", "deferred")
    mark_failed(airflow, run)
    assert airflow.ended(after)["state"] == "success"
    assert airflow.log(after, "wait_job").count("has active runs") == 1


def test_a_run_does_not_wait_for_one_that_waits_itself_and_a_rule_that_ends_it_is_told_from_a_failure(
    airflow: RealAirflow, cloud: Cloud, name: str
) -> None:
    waiting = waiting_run(airflow, cloud, name)
    patient = airflow.ended(airflow.trigger("patient"))
    assert airflow.api.call("GET", waiting)["state"] == "running"
    assert refusal(airflow.api, "patient", patient["dag_run_id"]) == "a fifth of the rows is empty"
    mark_failed(airflow, waiting)


def test_the_reason_of_a_skip_is_in_the_log_before_airflow_folds_it_and_in_the_runs_note(airflow: RealAirflow) -> None:
    run = airflow.trigger("idle", day="2013-03-01")
    assert airflow.ended(run)["note"] == "there is nothing to do today"
    log = airflow.log(run, "look")
    assert log.index("Skipped: there is nothing to do today") < log.index("Skipping task")


def test_a_failed_task_and_its_reason_are_in_the_runs_note(airflow: RealAirflow) -> None:
    assert airflow.ended(airflow.trigger("idle", day="never"))["note"] == "look failed: never is no day"


def test_a_note_that_a_person_wrote_stays(airflow: RealAirflow) -> None:
    airflow.api.call("PATCH", "/dags/idle", json={"is_paused": True})
    run = airflow.trigger("idle")
    airflow.api.call("PATCH", run, json={"note": "mine"})
    airflow.api.call("PATCH", "/dags/idle", json={"is_paused": False})
    assert airflow.ended(run)["note"] == "mine"


def test_everything_that_failed_in_a_run_is_told_in_one_message_and_a_retry_that_succeeds_in_none(
    airflow: RealAirflow, alerts: Alerts
) -> None:
    runs = [airflow.ended(run) for run in [airflow.trigger("flaky"), airflow.trigger("broken")]]
    assert [run["state"] for run in runs] == ["success", "failed"]
    broken = runs[1]["dag_run_id"]
    message = airflow.wait(lambda: alerts.of(broken), "the message")
    assert alerts.subject(broken) == "Nightjar: broken failed: 5 tasks"
    for reason in (
        f"Task:  killed\n{NO_REASON}",
        "Day 1 was not published within 1 s",
        "Task:  read[0]\nLog:   http",
        "ValueError: shard 2 is gone",
        "AirflowTaskTimeout",
    ):
        assert reason in message
    assert alerts.of(runs[0]["dag_run_id"]) is None
