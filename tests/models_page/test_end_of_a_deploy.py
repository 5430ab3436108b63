"""A person ends the deploy that is running: never the live version instead, and what follows is told as it is."""

from __future__ import annotations

import pytest
from airflow.utils.state import DagRunState

from tests.support.models_page import DAG, REASON, Person, Sources
from tests.support.models_page_runs import begin_deploy, change_dag, runs

pytestmark = pytest.mark.usefixtures("new_dag", "aws")
ROLL_BACK, END_DEPLOY = f"api/{DAG}/roll-back", f"api/{DAG}/end-deploy"


def test_the_end_of_a_deploy_keeps_the_live_version_and_queues_no_run(ann: Person, aws: Sources) -> None:
    begin_deploy(aws, DagRunState.RUNNING)
    shown = ann.get(f"api/{DAG}").json()
    assert shown["deploying"]["ends_by_roll_back"] and shown["look_seconds"] == 30
    answer = ann.post(END_DEPLOY, revision=2, run_id="canary")
    assert answer.status_code == 200, answer.text
    assert "goes back to version 2" in answer.json()["text"]
    assert "looks about every 30 seconds" in answer.json()["text"]
    assert [run.run_id for run in runs()] == ["canary"]
    shown = ann.get(f"api/{DAG}").json()
    assert (shown["deploying"], shown["hold"], shown["live"]["version"]) == (None, True, 2)
    assert shown["given_up"].startswith(f"The deploy of version 3 was given up: rolled back by ann: {REASON}.")
    assert "goes back to version 2 at its next step" in shown["given_up"]


@pytest.mark.parametrize("hindrance", [{"is_paused": True}, {"has_import_errors": True}])
def test_the_end_of_a_deploy_whose_dag_stands_still_says_that_nothing_goes_back(
    ann: Person, aws: Sources, hindrance: dict[str, bool]
) -> None:
    begin_deploy(aws, DagRunState.RUNNING)
    change_dag(**hindrance)
    do = f"Unpause {DAG}" if "is_paused" in hindrance else "Mend it"
    assert do in ann.get(f"api/{DAG}").json()["stands_still"]
    answer = ann.post(END_DEPLOY, revision=2, run_id="canary")
    assert answer.status_code == 200, answer.text
    shown = ann.get(f"api/{DAG}").json()
    assert shown["hold"] and shown["deploying"] is None
    for text in (answer.json()["text"], shown["given_up"]):
        assert "nothing goes back" in text and do in text
        assert "at its next step" not in text
    change_dag(**dict.fromkeys(hindrance, False))
    assert "goes back to version 2 at its next step" in ann.get(f"api/{DAG}").json()["given_up"]


def test_the_end_of_a_deploy_never_rolls_back_the_live_version(ann: Person, aws: Sources) -> None:
    """Its run has ended without giving it up (marked as failed, over its time), since the page was loaded."""
    begin_deploy(aws, DagRunState.FAILED)
    answer = ann.post(END_DEPLOY, revision=2, run_id="canary")
    assert answer.status_code == 409
    assert "Run canary has no deploy that is running" in answer.json()["detail"]
    shown = ann.get(f"api/{DAG}").json()
    assert (shown["revision"], shown["hold"]) == (2, False)
    assert [run.run_id for run in runs()] == ["canary"]


def test_the_end_of_another_runs_deploy_is_refused(ann: Person, aws: Sources) -> None:
    begin_deploy(aws, DagRunState.RUNNING)
    answer = ann.post(END_DEPLOY, revision=2, run_id="other")
    assert answer.status_code == 409 and "Run other has no deploy that is running" in answer.json()["detail"]
    assert ann.post(END_DEPLOY, revision=2).status_code == 422, "a run is named"
    assert ann.get(f"api/{DAG}").json()["revision"] == 2


def test_a_plain_roll_back_ends_no_deploy(ann: Person, aws: Sources) -> None:
    """Its run was cleared since the page was loaded: what the person confirmed is a roll-back of the live version."""
    begin_deploy(aws, DagRunState.RUNNING)
    answer = ann.post(ROLL_BACK, revision=2)
    assert answer.status_code == 409
    assert "A deploy of version 3 is running (canary)" in answer.json()["detail"]
    shown = ann.get(f"api/{DAG}").json()
    assert (shown["revision"], shown["hold"], shown["deploying"]["run_id"]) == (2, False, "canary")
    assert len(runs()) == 1


def test_a_roll_back_that_is_running_is_not_ended(ann: Person, aws: Sources) -> None:
    begin_deploy(aws, DagRunState.RUNNING, "rollback")
    assert not ann.get(f"api/{DAG}").json()["deploying"]["ends_by_roll_back"]
    answer = ann.post(ROLL_BACK, revision=2)
    assert answer.status_code == 409 and "A deploy has not ended: canary" in answer.json()["detail"]
    answer = ann.post(END_DEPLOY, revision=2, run_id="canary")
    assert answer.status_code == 409 and "no deploy that is running" in answer.json()["detail"]


def test_a_deploy_whose_run_has_failed_is_not_running(ann: Person, aws: Sources) -> None:
    begin_deploy(aws, DagRunState.FAILED)
    shown = ann.get(f"api/{DAG}").json()
    assert shown["deploying"] is None and "its run canary has ended" in shown["given_up"]
    assert ann.post(ROLL_BACK, revision=2).json()["run"]["id"] == "models-page-rollback-2"
