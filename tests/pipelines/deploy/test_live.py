"""The live pointer."""

from __future__ import annotations

from typing import Any

from include.pipelines.deploy.live import HISTORY, NOTHING_LIVE, LivePointer, after_deploy, reconcile


def deploy(pointer: LivePointer, version: int, requested: Any = "latest", release_hold: bool = False) -> LivePointer:
    return after_deploy(
        pointer,
        version=version,
        bundle_digest=f"d{version}",
        task_definition=f"t{version}",
        requested=requested,
        release_hold=release_hold,
    )


def test_deploys_one_after_the_other() -> None:
    pointer = deploy(deploy(NOTHING_LIVE, 1), 3)
    assert pointer == {
        "version": 3,
        "previous": 1,
        "bundle_digest": "d3",
        "task_definition": "t3",
        "hold": False,
        "revision": 2,
        "history": [3, 1],
    }


def test_the_same_version_with_another_image_keeps_previous() -> None:
    pointer = deploy(deploy(deploy(NOTHING_LIVE, 1), 3), 3, requested=3)
    assert (pointer["previous"], pointer["history"], pointer["revision"]) == (1, [3, 1], 3)


def test_going_back_sets_the_hold_until_it_is_released() -> None:
    back = deploy(deploy(deploy(NOTHING_LIVE, 1), 3), 1, requested="previous")
    assert back["hold"] is True
    assert (back["version"], back["previous"], back["history"]) == (1, 3, [1])
    assert deploy(back, 4, requested=4)["hold"] is True
    assert deploy(back, 4, release_hold=True)["hold"] is False


def test_history_is_bounded() -> None:
    pointer = NOTHING_LIVE
    for version in range(1, 40):
        pointer = deploy(pointer, version)
    assert pointer["history"] == list(range(39, 39 - HISTORY, -1))


def test_the_pointer_follows_what_ecs_runs() -> None:
    pointer = deploy(NOTHING_LIVE, 1)
    assert reconcile(pointer, "t1", {}) == pointer
    assert reconcile(pointer, "template", {"WORKLOAD": "flights"}) == pointer
    seen = reconcile(pointer, "t2", {"MODEL_VERSION": "2", "BUNDLE_DIGEST": "d2"})
    assert (seen["version"], seen["previous"], seen["bundle_digest"], seen["revision"]) == (2, 1, "d2", 2)
