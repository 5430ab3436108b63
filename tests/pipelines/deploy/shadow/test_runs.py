"""Whole deploy runs with a shadow: what becomes of good and bad versions, and that the live one is not touched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.deploy_runs import FAILED, SKIPPED, SUCCESS, UPSTREAM_FAILED, DeployRun
from tests.support.shadow_runs import NOW, ShadowDeploys, shadow_deploys

SHADOW = ("plan_shadow", "submit_shadow", "sense_shadow", "compare_shadow")


@pytest.fixture
def deploys() -> ShadowDeploys:
    """Version 1 is live and has answered requests, version 2 is approved."""
    made = shadow_deploys()
    made.approve(crashes=False, scores_wrongly=False)
    first = ran(made, automatic=True)
    assert states(first) == [SKIPPED] * 4  # there was none to compare with
    assert made.pointer()["version"] == 1
    made.approve(crashes=False, scores_wrongly=False)
    made.log()
    return made


def ran(deploys: ShadowDeploys, version: Any = None, **options: Any) -> DeployRun:
    run = deploys.trigger(version, **options)
    deploys.finish(run)
    return run


def states(run: DeployRun) -> list[str]:
    return [run.states[name] for name in SHADOW]


def test_a_good_version_is_rolled_out_and_its_report_is_kept(deploys: ShadowDeploys) -> None:
    run = ran(deploys, automatic=True)
    assert states(run) == [SUCCESS] * 4
    assert (deploys.colour(run), deploys.pointer()["version"]) == (SUCCESS, 2)
    (page,) = deploys.pages()
    assert "version 2 beside version 1" in page and "goes on" in page
    assert deploys.metadata == {"arn:2": {"shadow_uri": run.xcoms["compare_shadow"]["page"]}}


def test_a_version_that_answers_otherwise_is_rejected_and_the_live_one_was_never_touched(
    deploys: ShadowDeploys,
) -> None:
    before = (deploys.service.set_to, deploys.service.desired)
    deploys.changes = {"changed": {"to_1": 400, "to_0": 0}}
    run = ran(deploys, automatic=True)
    assert (deploys.colour(run), deploys.status(2)) == (FAILED, "Rejected")
    assert "400 of 1000 requests get another label" in deploys.registry.changes[-1][2]
    assert run.states["submit_rollout"] == UPSTREAM_FAILED
    assert (deploys.service.set_to, deploys.service.desired) == before
    assert (deploys.pointer()["version"], run.states["restore_service"]) == (1, SKIPPED)
    assert "stopped" in deploys.pages()[0]
    assert ran(deploys, automatic=True).states["resolve"] == SKIPPED  # and it is not tried again


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"requests": 50}, id="too few requests"),
        pytest.param({"control": {"requests": 1000, "differing": 500, "largest": 1.0}}, id="no proof"),
        pytest.param({"live_digest": "another"}, id="another live version"),
    ],
)
def test_without_a_proof_the_version_stays_approved_and_is_not_deployed(
    deploys: ShadowDeploys, changes: dict[str, Any]
) -> None:
    deploys.changes = {"changed": {"to_1": 0, "to_0": 0}, **changes}
    run = ran(deploys, automatic=True)
    assert (deploys.colour(run), run.states["reject_shadow"]) == (FAILED, SKIPPED)
    assert (deploys.status(2), deploys.pointer()["version"]) == ("Approved", 1)
    assert deploys.colour(ran(deploys, 1)) == SUCCESS  # the next run finds a clean slate


def test_a_job_that_fails_stops_the_deploy_and_blames_nobody(deploys: ShadowDeploys) -> None:
    deploys.job_fails = True
    run = ran(deploys, automatic=True)
    assert (deploys.colour(run), run.states["reject_shadow"], run.states["restore_service"]) == (
        FAILED,
        SKIPPED,
        SKIPPED,
    )
    assert (deploys.status(2), deploys.pointer()["version"]) == ("Approved", 1)
    deploys.job_fails = False
    assert deploys.colour(ran(deploys, automatic=True)) == SUCCESS


def test_a_document_that_was_altered_is_refused(deploys: ShadowDeploys) -> None:
    run = deploys.trigger(automatic=True)
    while "sense_shadow" not in run.states:
        deploys.step(run)
    deploys.objects.put("artifact", "out/shadow.json", b"{}")
    deploys.finish(run)
    assert (deploys.colour(run), deploys.status(2), deploys.pages()) == (FAILED, "Approved", [])


def test_a_log_without_requests_stops_it_unless_the_workload_says_otherwise(deploys: ShadowDeploys) -> None:
    deploys.objects.versions.clear()
    deploys.log(NOW - timedelta(hours=6))  # older than the newest six hours
    run = ran(deploys, automatic=True)
    assert (deploys.colour(run), run.states["plan_shadow"], run.states["restore_service"]) == (FAILED, FAILED, SKIPPED)
    assert (deploys.status(2), deploys.pointer()["version"]) == ("Approved", 1)


def test_a_rollback_and_a_new_image_of_the_same_model_do_not_wait(deploys: ShadowDeploys) -> None:
    ran(deploys, automatic=True)
    deploys.changes = {"changed": {"to_1": 400, "to_0": 0}}
    again = ran(deploys, "live")
    assert (states(again), deploys.colour(again)) == ([SKIPPED] * 4, SUCCESS)
    back = ran(deploys, "previous")
    assert (states(back), deploys.colour(back)) == ([SKIPPED] * 4, SUCCESS)
    assert deploys.pointer()["version"] == 1


@pytest.mark.parametrize("countdown", range(8))
def test_a_worker_that_dies_at_any_change_is_tried_again_and_the_version_is_live(
    deploys: ShadowDeploys, countdown: int
) -> None:
    run = deploys.trigger(automatic=True)
    deploys.finish_killed(run, countdown)
    assert (deploys.colour(run), deploys.pointer()["version"]) == (SUCCESS, 2)
