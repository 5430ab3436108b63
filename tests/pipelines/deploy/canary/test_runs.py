"""Whole deploy runs with a canary: what becomes of good and bad versions, and of a run that dies in the middle."""

from __future__ import annotations

from typing import Any

import pytest
from nightjar.teardowns import ENDED, NEXT_STEP_ANEW, describe_ends

from tests.support.canary_runs import CanaryDeploys, canary_deploys
from tests.support.deploy_runs import FAILED, SKIPPED, SUCCESS, DeployRun

CANARY = ("submit_canary", "sense_canary", "share_traffic", "compare_canary")


@pytest.fixture
def deploys() -> CanaryDeploys:
    """Version 1 is live, version 2 is approved."""
    made = canary_deploys()
    made.approve(crashes=False, scores_wrongly=False)
    first = made.trigger(automatic=True)
    made.finish(first)
    assert [first.states[name] for name in CANARY] == [SKIPPED] * 4  # there was none to compare with
    assert made.pointer()["version"] == 1
    made.approve(crashes=False, scores_wrongly=False)
    return made


def ran(deploys: CanaryDeploys, version: Any = None, **options: Any) -> DeployRun:
    run = deploys.trigger(version, **options)
    deploys.finish(run)
    return run


def at_rest(deploys: CanaryDeploys) -> tuple[float, int]:
    """The canary's share of the requests, and its number of tasks."""
    return deploys.beside.weights.share(), deploys.beside.service.desired


def test_a_good_version_is_promoted_by_the_ordinary_rollout(deploys: CanaryDeploys) -> None:
    run = ran(deploys, automatic=True)
    assert deploys.colour(run) == SUCCESS
    assert [run.states[name] for name in CANARY] == [SUCCESS] * 4
    assert deploys.pointer()["version"] == 2
    assert deploys.beside.weights.shares == [0.0, 0.1, 0]
    assert at_rest(deploys) == (0, 0)


def test_a_version_that_answers_worse_is_rejected_and_the_live_one_was_never_touched(deploys: CanaryDeploys) -> None:
    before = deploys.service.set_to
    deploys.beside.metrics.minute["canary"]["failed"] = 50.0
    run = ran(deploys, automatic=True)
    assert deploys.colour(run) == FAILED
    assert deploys.status(2) == "Rejected"
    assert "fails more often" in deploys.registry.changes[-1][2]
    assert deploys.service.set_to == before
    assert (deploys.pointer()["version"], at_rest(deploys)) == (1, (0, 0))
    assert run.states["restore_service"] == SKIPPED
    assert ran(deploys, automatic=True).states["resolve"] == SKIPPED  # and it is not tried again


def test_with_too_few_requests_it_stays_approved(deploys: CanaryDeploys) -> None:
    deploys.beside.metrics.minute["canary"]["requests"] = 1.0
    run = ran(deploys, automatic=True)
    assert (deploys.colour(run), run.states["reject_canary"]) == (FAILED, SKIPPED)
    assert (deploys.status(2), deploys.pointer()["version"]) == ("Approved", 1)


def test_a_canary_whose_tasks_crash_gets_no_request_and_is_rejected(deploys: CanaryDeploys) -> None:
    deploys.crashing.add("2")
    run = ran(deploys, automatic=True)
    assert (deploys.colour(run), deploys.status(2)) == (FAILED, "Rejected")
    assert deploys.beside.weights.shares == [0.0]
    assert at_rest(deploys) == (0, 0)


def test_a_new_image_of_the_live_version_is_tried_too(deploys: CanaryDeploys) -> None:
    deploys.image = "app:2"
    deploys.beside.metrics.minute["canary"]["failed"] = 50.0
    run = ran(deploys, "live")
    assert (deploys.colour(run), run.states["reject_canary"]) == (FAILED, SKIPPED)
    assert deploys.status(1) == "Approved"
    deploys.beside.metrics.minute["canary"]["failed"] = 0.0
    assert deploys.colour(ran(deploys, "live")) == SUCCESS
    assert deploys.service.image(str(deploys.service.serving)) == "app:2"


def test_a_rollback_does_not_wait(deploys: CanaryDeploys) -> None:
    ran(deploys, automatic=True)
    run = ran(deploys, "previous")
    assert [run.states[name] for name in CANARY] == [SKIPPED] * 4
    assert (deploys.colour(run), deploys.pointer()["version"]) == (SUCCESS, 1)


@pytest.mark.parametrize("steps", range(1, 6))
def test_what_a_dead_run_leaves_is_ended_by_the_next_one_even_if_that_deploys_nothing(
    deploys: CanaryDeploys, steps: int
) -> None:
    """It is gone with its scheduler: no task of it runs again, its teardown neither."""
    dead = deploys.trigger(automatic=True)
    for _ in range(steps):
        deploys.step(dead)
    dead.dead = True
    if steps == 4:
        assert at_rest(deploys) == (0.1, 1)
    run = ran(deploys, 1)  # what is live already: a deploy all the same
    assert (at_rest(deploys), deploys.colour(run)) == ((0, 0), SUCCESS)
    assert deploys.pointer()["version"] == 1


def test_a_refused_run_ends_it_too_and_a_dry_run_does_not(deploys: CanaryDeploys) -> None:
    dead = deploys.trigger(automatic=True)
    for _ in range(4):
        deploys.step(dead)
    dead.dead = True
    ran(deploys, dry_run=True)
    assert at_rest(deploys) == (0.1, 1)
    deploys.registry.set_approval_status("arn:2", "Rejected", "by a person")
    assert ran(deploys, automatic=True).states["resolve"] == SKIPPED
    assert at_rest(deploys) == (0, 0)


def test_a_dead_run_that_comes_back_later_leaves_the_newer_runs_canary(deploys: CanaryDeploys) -> None:
    dead = deploys.trigger(automatic=True)
    for _ in range(4):
        deploys.step(dead)
    newer = deploys.trigger(automatic=True)
    for _ in range(4):
        deploys.step(newer)
    deploys.finish(dead)
    assert at_rest(deploys) == (0.1, 1)
    assert deploys.colour(dead) == FAILED
    deploys.finish(newer)
    assert (deploys.colour(newer), deploys.pointer()["version"]) == (SUCCESS, 2)


@pytest.mark.parametrize("countdown", range(12))
def test_a_worker_that_dies_at_any_change_is_tried_again_and_the_version_is_live(
    deploys: CanaryDeploys, countdown: int
) -> None:
    run = deploys.trigger(automatic=True)
    deploys.finish_killed(run, countdown)
    assert (deploys.colour(run), deploys.pointer()["version"]) == (SUCCESS, 2)
    assert at_rest(deploys) == (0, 0)


def test_a_run_over_its_time_limit_ends_its_canary(deploys: CanaryDeploys) -> None:
    run = deploys.trigger(automatic=True)
    while run.states.get("share_traffic") != SUCCESS:
        deploys.step(run)
    assert at_rest(deploys) == (0.1, 1)
    deploys.exceed_time_limit(run)
    assert at_rest(deploys) == (0, 0)
    assert describe_ends(deploys.dag.tasks, []) == [ENDED, NEXT_STEP_ANEW]


def test_a_newer_runs_canary_is_not_ended_by_the_time_limit_of_an_older_one(deploys: CanaryDeploys) -> None:
    old, new = deploys.trigger(automatic=True), deploys.trigger(2)
    deploys.step(old)
    while new.states.get("share_traffic") != SUCCESS:
        deploys.step(new)
    deploys.exceed_time_limit(old)
    assert at_rest(deploys) == (0.1, 1)


def test_tasks_that_are_cleared_after_the_time_limit_give_no_request_to_a_canary_without_tasks(
    deploys: CanaryDeploys,
) -> None:
    run = deploys.trigger(automatic=True)
    while run.states.get("sense_canary") != SUCCESS:
        deploys.step(run)
    deploys.exceed_time_limit(run)
    run.states = {task: state for task, state in run.states.items() if state != SKIPPED}
    deploys.finish(run)
    assert (deploys.colour(run), run.states["share_traffic"]) == (FAILED, FAILED)
    assert deploys.beside.weights.shares == [0.0]
    assert (deploys.status(2), deploys.pointer()["version"]) == ("Approved", 1)
    assert deploys.colour(ran(deploys, automatic=True)) == SUCCESS
    assert deploys.pointer()["version"] == 2
