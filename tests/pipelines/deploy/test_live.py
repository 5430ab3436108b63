"""What is live: the changes from one state to the next."""

from __future__ import annotations

from typing import Any

from include.pipelines.deploy.live import (
    NOTHING_LIVE,
    LivePointer,
    abandoned,
    begun,
    rebuilt,
    verified_versions,
    went_live,
)


def begin(pointer: LivePointer, version: int, kind: Any = "deploy", release_hold: bool = False) -> LivePointer:
    run_id = f"run of {version}"
    return begun(pointer, run_id=run_id, kind=kind, version=version, release_hold=release_hold, reason=None)


def deploy(pointer: LivePointer, version: int, kind: Any = "deploy", release_hold: bool = False) -> LivePointer:
    begun_deploy = begin(pointer, version, kind, release_hold)
    definition = f"t{begun_deploy['revision']}"
    return went_live(
        begun_deploy, version=version, bundle_digest=f"d{version}", task_definition=definition, image="app:1"
    )


THIRD = deploy(deploy(deploy(NOTHING_LIVE, 1), 2), 3)


def test_deploys_one_after_the_other() -> None:
    assert THIRD == {
        "version": 3,
        "previous": 2,
        "bundle_digest": "d3",
        "task_definition": "t5",
        "image": "app:1",
        "hold": False,
        "revision": 6,
        "history": [3, 2, 1],
        "rolled_back": {},
        "intent": {
            "run_id": "run of 3",
            "kind": "deploy",
            "version": 3,
            "replaces": 2,
            "release_hold": False,
            "reason": None,
            "revision": 5,
            "status": "live",
        },
    }


def test_the_same_version_with_another_image_keeps_previous() -> None:
    pointer = deploy(THIRD, 3)
    assert (pointer["previous"], pointer["history"]) == (2, [3, 2, 1])
    assert pointer["task_definition"] != THIRD["task_definition"]


def test_an_intent_changes_nothing_that_is_live() -> None:
    pointer = begin(THIRD, 4)
    live = ("version", "bundle_digest", "task_definition", "history", "hold", "rolled_back")
    assert [pointer[name] for name in live] == [THIRD[name] for name in live]  # type: ignore[literal-required]


def test_a_rollback_sets_the_hold_before_it_begins_and_keeps_it_when_it_fails() -> None:
    begun_rollback = begin(THIRD, 2, "rollback")
    for pointer in (begun_rollback, abandoned(begun_rollback), deploy(abandoned(begun_rollback), 2, "rollback")):
        assert pointer["hold"] is True
        assert pointer["rolled_back"] == {"3": "run of 2"}


def test_going_back_forgets_what_was_rolled_back_and_deploying_it_again_remembers_it() -> None:
    back = deploy(THIRD, 2, "rollback")
    assert (back["version"], back["previous"], back["history"]) == (2, 1, [2, 1])
    assert verified_versions(back) == {1, 2, 3}
    again = deploy(back, 3)
    assert (again["version"], again["history"], again["rolled_back"], again["hold"]) == (3, [3, 2, 1], {}, True)


def test_only_a_deploy_that_went_live_releases_the_hold() -> None:
    back = deploy(THIRD, 2, "rollback")
    assert abandoned(begin(back, 4, release_hold=True))["hold"] is True
    assert deploy(back, 4)["hold"] is True
    assert deploy(back, 4, release_hold=True)["hold"] is False


def test_a_rebuilt_state_has_a_hold_and_keeps_what_is_intact() -> None:
    back = deploy(THIRD, 2, "rollback")
    pointer = rebuilt(back, 40, version=4, bundle_digest="d4", task_definition="t9")
    assert (pointer["version"], pointer["previous"], pointer["hold"], pointer["revision"]) == (4, 2, True, 40)
    assert (pointer["history"], pointer["rolled_back"]) == ([4, 2, 1], {"3": "run of 2"})
    lost = rebuilt(None, 7, version=None, bundle_digest=None, task_definition="template")
    assert lost == {**NOTHING_LIVE, "hold": True, "revision": 7}
