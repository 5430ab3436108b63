"""A deploy of ``live``: the same version with another image, and back to the old image when that one fails."""

from __future__ import annotations

from typing import Any

import pytest

from include.pipelines.deploy import notes
from tests.support import deploy_runs
from tests.support.deploy_runs import FAILED, SKIPPED, SUCCESS, Deploys, StateInMemory

MODULE, DAG = deploy_runs.deploy_dag()


@pytest.fixture
def deploys() -> Deploys:
    return Deploys(StateInMemory(), MODULE, DAG)


def with_one_live(deploys: Deploys) -> dict[str, Any]:
    deploys.approve(crashes=False, scores_wrongly=False)
    deploys.finish(deploys.trigger(automatic=True))
    pointer: Any = deploys.pointer()
    assert pointer["version"] == 1
    return pointer


def test_before_the_first_version_there_is_nothing_to_deploy_and_the_run_is_green(deploys: Deploys) -> None:
    run = deploys.trigger("live")
    deploys.finish(run)
    assert (run.states["resolve"], deploys.colour(run)) == (SKIPPED, SUCCESS)


def test_the_version_stays_and_its_task_definition_is_new(deploys: Deploys) -> None:
    before = with_one_live(deploys)
    deploys.approve(crashes=False, scores_wrongly=False)  # a newer one does not replace it
    run = deploys.trigger("live")
    deploys.finish(run)
    after = deploys.pointer()
    assert deploys.colour(run) == SUCCESS
    assert (after["version"], after["history"], after["hold"]) == (1, [1], False)
    assert after["task_definition"] != before["task_definition"]
    assert deploys.service.serving == after["task_definition"]


def test_only_the_image_changes_and_the_note_says_so(deploys: Deploys) -> None:
    before = with_one_live(deploys)
    model = ("BUNDLE_URI", "BUNDLE_DIGEST", "MODEL_VERSION", "WORKLOAD")
    ran = deploys.service.environment(before["task_definition"])
    deploys.image = "app:2"
    run = deploys.trigger("live")
    deploys.finish(run)
    after: Any = deploys.pointer()
    runs = deploys.service.environment(after["task_definition"])
    assert deploys.colour(run) == SUCCESS
    assert [runs[name] for name in model] == [ran[name] for name in model]
    assert after["bundle_digest"] == before["bundle_digest"] == "d1"
    assert (before["image"], after["image"]) == ("image", "app:2")
    assert deploys.service.image(str(deploys.service.serving)) == "app:2"
    assert "The model is the same as before; its image is app:2." in notes.live(after)


def test_tasks_with_the_old_image_do_not_pass_for_those_with_the_new_one(deploys: Deploys) -> None:
    """This was green before: both have the same version and digest, and old tasks may answer for a while."""
    before = with_one_live(deploys)
    run = deploys.trigger("live")
    for _ in range(3):  # resolve, submit_rollout, sense_rollout
        deploys.step(run)
    deploys.service.serving = before["task_definition"]
    deploys.step(run)
    assert run.states["verify"] == FAILED and run.fault is None
    deploys.finish(run)
    assert (deploys.colour(run), run.states["reject_version"]) == (FAILED, SKIPPED)
    assert deploys.service.set_to == before["task_definition"]


def test_an_image_that_does_not_start_rolls_back_and_rejects_no_model(deploys: Deploys) -> None:
    before = with_one_live(deploys)
    deploys.crashing.add("1")  # with the new image, its tasks crash
    run = deploys.trigger("live")
    deploys.finish(run)
    assert deploys.colour(run) == FAILED
    assert run.states["reject_version"] == SKIPPED
    assert deploys.status(1) == "Approved"
    assert deploys.pointer()["task_definition"] == before["task_definition"] == deploys.service.set_to
