"""What a person changes on the page: runs of the deploy DAG, approvals and freezes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from sqlalchemy import select

from tests.support.models_page import DAG, REASON, Person, Sources, made
from tests.support.models_page_runs import change_dag, runs

pytestmark = pytest.mark.usefixtures("new_dag", "aws")
APPROVE, REJECT = f"api/{DAG}/versions/3/approve", f"api/{DAG}/versions/3/reject"
DEPLOY = f"api/{DAG}/versions/3/deploy"
ROLL_BACK, RELEASE = f"api/{DAG}/roll-back", f"api/{DAG}/release-hold"
FREEZE, UNFREEZE = f"api/{DAG}/freeze", f"api/{DAG}/unfreeze"


def refused(answer: Any, text: str, status: int = 409) -> None:
    assert answer.status_code == status, answer.text
    assert text in answer.json()["detail"]
    assert runs() == []


def test_an_approval_is_recorded_with_the_name_and_the_reason_and_deploys_the_version(
    ann: Person, aws: Sources
) -> None:
    answer = ann.post(APPROVE)
    assert answer.status_code == 200, answer.text
    ((arn, status, description),) = aws.registry.changes
    assert (arn, status) == ("arn:3", "Approved")
    assert description == f"Approved by ann: {REASON} Before: AUC 0.7 reaches the bar"
    (run,) = runs()
    assert (run.conf, run.triggering_user_name, run.state) == ({"version": "3"}, "ann", DagRunState.QUEUED)
    assert answer.json()["run"] == {"id": run.run_id, "page": f"/dags/{DAG}/runs/{run.run_id}"}


def test_the_deploy_dag_accepts_the_configuration_of_every_run(ann: Person, aws: Sources) -> None:
    """Airflow checks it against the Params when the run is made: an unknown value would be refused here."""
    assert ann.post(ROLL_BACK).status_code == 200
    assert [run.conf for run in runs()] == [{"version": "previous", "reason": f"ann: {REASON}"}]


def test_a_version_that_does_not_wait_is_not_approved(ann: Person, aws: Sources) -> None:
    refused(ann.post(APPROVE.replace("3", "2")), "does not wait for approval")
    assert aws.registry.changes == []


def test_a_version_that_was_rejected_meanwhile_is_not_approved(ann: Person, aws: Sources) -> None:
    assert ann.get(f"api/{DAG}").json()["waiting"] == [3]
    aws.registry.packages[0] = made(3, "Rejected")  # by somebody else
    refused(ann.post(APPROVE), "is Rejected")


@pytest.mark.parametrize("hindrance", ["hold", "freeze"])
def test_an_approval_deploys_nothing_in_a_hold_or_a_freeze(ann: Person, aws: Sources, hindrance: str) -> None:
    if hindrance == "hold":
        aws.go_live(2, 1, hold=True, revision=2)
    else:
        assert ann.post(FREEZE, until=in_days(3)).status_code == 200
    answer = ann.post(APPROVE, revision=2 if hindrance == "hold" else 1)
    assert answer.status_code == 200 and "It is not deployed" in answer.json()["text"]
    assert runs() == [] and aws.registry.changes[0][1] == "Approved"


def test_a_version_that_was_approved_in_a_freeze_is_deployed_after_it(ann: Person, aws: Sources) -> None:
    ann.post(FREEZE, until=in_days(3))
    ann.post(APPROVE)
    refused(ann.post(DEPLOY), "End the freeze first")
    ann.post(UNFREEZE)
    assert ann.post(DEPLOY).status_code == 200
    assert [run.conf for run in runs()] == [{"version": "3", "reason": f"ann: {REASON}"}]


def test_a_version_that_waits_or_is_older_than_the_live_one_is_not_deployed(ann: Person) -> None:
    refused(ann.post(DEPLOY), "Approve it first")
    refused(ann.post(DEPLOY.replace("3", "1")), "older than the live version 2")


def test_a_rejection_keeps_the_reasons_of_the_decision(ann: Person, aws: Sources) -> None:
    assert ann.post(REJECT).status_code == 200
    ((_, status, description),) = aws.registry.changes
    assert status == "Rejected" and description.endswith("Before: AUC 0.7 reaches the bar")
    assert runs() == []


def test_the_live_version_is_rejected_by_a_roll_back_only(ann: Person, aws: Sources) -> None:
    refused(ann.post(REJECT.replace("3", "2")), "Roll back")
    assert aws.registry.changes == []


def test_a_second_click_rolls_back_once(ann: Person) -> None:
    first = ann.post(ROLL_BACK)
    assert first.status_code == 200 and len(runs()) == 1
    second = ann.post(ROLL_BACK)
    assert second.status_code == 409 and first.json()["run"]["id"] in second.json()["detail"]
    assert len(runs()) == 1


def test_a_roll_back_can_be_asked_for_again_when_its_run_has_failed(ann: Person) -> None:
    ann.post(ROLL_BACK)
    with create_session() as session:
        for run in session.scalars(select(DagRun)):
            run.state = DagRunState.FAILED
    assert ann.post(ROLL_BACK).status_code == 200
    assert [run.run_id for run in runs()] == ["models-page-rollback-1", "models-page-rollback-1-a2"]


def test_a_change_on_what_is_live_no_more_is_refused(ann: Person, aws: Sources) -> None:
    aws.go_live(1, revision=2)
    for change in (APPROVE, REJECT, ROLL_BACK):
        refused(ann.post(change), "has changed since this page was loaded")
    assert aws.registry.changes == []


def test_without_an_earlier_version_there_is_no_roll_back(ann: Person, aws: Sources) -> None:
    aws.go_live(2, revision=2)
    refused(ann.post(ROLL_BACK, revision=2), "There is no previous version")


def test_a_hold_is_released_by_a_deploy_of_the_newest_approved_version(ann: Person, aws: Sources) -> None:
    aws.go_live(1, hold=True, rolled_back={"2": "run2"}, revision=2)
    answer = ann.post(RELEASE, revision=2)
    assert answer.status_code == 200 and "version 1" in answer.json()["text"], "version 2 was rolled back from"
    assert [run.conf for run in runs()] == [{"version": "latest", "release_hold": True, "reason": f"ann: {REASON}"}]


def test_without_a_hold_there_is_none_to_release(ann: Person) -> None:
    refused(ann.post(RELEASE), "There is no hold")


@pytest.mark.parametrize("change", [APPROVE, DEPLOY, ROLL_BACK])
def test_nothing_is_changed_for_a_deploy_that_would_not_start(ann: Person, aws: Sources, change: str) -> None:
    change_dag(is_paused=True)
    refused(ann.post(change), "is paused")
    assert aws.registry.changes == []


def test_a_freeze_is_shown_until_somebody_ends_it(ann: Person) -> None:
    until = in_days(3)
    assert ann.post(FREEZE, until=until).status_code == 200
    shown = ann.get(f"api/{DAG}").json()["freeze"]
    assert (shown["by"], shown["reason"]) == ("ann", REASON)
    assert shown["until"].startswith(until[:16])
    assert ann.post(UNFREEZE).status_code == 200
    assert ann.get(f"api/{DAG}").json()["freeze"] is None
    refused(ann.post(UNFREEZE), "are not frozen")


WITHOUT_ZONE = (datetime.now(UTC) + timedelta(days=9)).replace(tzinfo=None).isoformat()


@pytest.mark.parametrize("until", ["2013-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "tomorrow", WITHOUT_ZONE])
def test_a_freeze_needs_an_instant_in_the_near_future(ann: Person, until: str) -> None:
    assert ann.post(FREEZE, until=until).status_code == 422
    assert ann.get(f"api/{DAG}").json()["freeze"] is None


@pytest.mark.parametrize("change", [APPROVE, REJECT, ROLL_BACK, FREEZE])
@pytest.mark.parametrize("reason", ["", "short", " " * 50, "x" * 301])
def test_every_change_needs_a_reason(ann: Person, aws: Sources, change: str, reason: str) -> None:
    more: Any = {"until": in_days(1)} if change == FREEZE else {}
    answer = ann.post(change, reason=reason, **more)
    assert answer.status_code == 422 and "reason" in answer.text
    assert runs() == [] and aws.registry.changes == []


def test_a_lost_record_of_what_is_live_stops_every_change(ann: Person, aws: Sources) -> None:
    aws.state.delete("live#flights", "entry#000000000001")
    shown = ann.get(f"api/{DAG}").json()
    assert "repair-live" in shown["problem"] and shown["live"] is None
    for change in (APPROVE, REJECT, ROLL_BACK):
        refused(ann.post(change), "repair-live")


def in_days(number: int) -> str:
    return (datetime.now(UTC) + timedelta(days=number)).isoformat()
