"""What is live: the last verified version, the newest intent to change it, and the changes from one to the next.

Pure functions. ``include.pipelines.deploy.live_log`` reads and writes (ADR 6).
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

DEPLOY_REVISION = "DEPLOY_REVISION"
"""Environment variable of the service: the revision of the intent that its task definition was registered for."""

Kind = Literal["deploy", "rollback", "repair", "restore"]
OPEN: Literal["open"] = "open"
LIVE: Literal["live"] = "live"
ABANDONED: Literal["abandoned"] = "abandoned"


class Intent(TypedDict):
    """What a deploy run is about to do. It is recorded before the rollout begins."""

    run_id: str
    kind: Kind
    """``restore``: bring back the last verified version, because the service runs something else."""
    version: int | None
    replaces: int | None
    """The version that was live."""
    release_hold: bool
    reason: str | None
    """Why a person goes back to a version that rules would refuse."""
    revision: int
    """The revision of the entry that recorded the intent."""
    status: Literal["open", "live", "abandoned"]
    """``live`` once the version is verified; ``abandoned`` once the service is to go back."""
    ended: NotRequired[str]
    """Why it is abandoned, if its run did not give it up itself; a part of a sentence."""
    restored: NotRequired[bool]
    """Whether its run has gone back to the verified version since."""


class LivePointer(TypedDict):
    """One entry of the live log; the newest one is the state."""

    version: int | None
    """The last verified version; None before the first one."""
    previous: int | None
    """The version that was verified live before it and was not rolled back."""
    bundle_digest: str | None
    task_definition: str | None
    """The verified revision of the task definition."""
    image: NotRequired[str]
    """Its image; an entry of an earlier release does not have it."""
    hold: bool
    """Whether automatic deploys are stopped."""
    history: list[int]
    """The versions that were verified live and not rolled back, newest first."""
    rolled_back: dict[str, str]
    """Version (as text) → the run that rolled back from it."""
    intent: Intent | None
    revision: int
    """Number of changes."""


NOTHING_LIVE: LivePointer = {
    "version": None,
    "previous": None,
    "bundle_digest": None,
    "task_definition": None,
    "hold": False,
    "history": [],
    "rolled_back": {},
    "intent": None,
    "revision": 0,
}


def verified_versions(pointer: LivePointer) -> set[int]:
    """Returns every version that was once verified live."""
    return {*pointer["history"], *(int(version) for version in pointer["rolled_back"])}


def begun(
    pointer: LivePointer, *, run_id: str, kind: Kind, version: int | None, release_hold: bool, reason: str | None
) -> LivePointer:
    """Returns the state in which a run intends to deploy a version.

    A rollback sets the hold here, and records what it rolls back from: if the run dies later, both stay.
    """
    revision, live = pointer["revision"] + 1, pointer["version"]
    intent: Intent = {
        "run_id": run_id,
        "kind": kind,
        "version": version,
        "replaces": live,
        "release_hold": release_hold,
        "reason": reason,
        "revision": revision,
        "status": OPEN,
    }
    changed: LivePointer = {**pointer, "intent": intent, "revision": revision}
    if kind == "rollback":
        changed["hold"] = True
    if kind == "rollback" and live is not None:
        changed["rolled_back"] = {**pointer["rolled_back"], str(live): run_id}
    return changed


def went_live(
    pointer: LivePointer, *, version: int, bundle_digest: str, task_definition: str, image: str
) -> LivePointer:
    """Returns the state after the version of the open intent was verified."""
    intent = pointer["intent"]
    if intent is None:
        raise ValueError("no deploy was begun")
    rolled_back = {known: run for known, run in pointer["rolled_back"].items() if known != str(version)}
    earlier = [entry for entry in pointer["history"] if entry != version and str(entry) not in rolled_back]
    return {
        **pointer,
        "version": version,
        "previous": earlier[0] if earlier else None,
        "bundle_digest": bundle_digest,
        "task_definition": task_definition,
        "image": image,
        "hold": pointer["hold"] and not intent["release_hold"],
        "history": [version, *earlier],
        "rolled_back": rolled_back,
        "intent": {**intent, "status": LIVE},
        "revision": pointer["revision"] + 1,
    }


def abandoned(pointer: LivePointer, ended: str = "") -> LivePointer:
    """Returns the state after the open intent was given up: its run may change the service no more.

    Args:
        pointer: The state.
        ended: Why, if the run does not give it up itself.
    """
    intent = pointer["intent"]
    if intent is None:
        raise ValueError("no deploy was begun")
    left: Intent = {**intent, "status": ABANDONED}
    if ended:
        left["ended"] = ended
    return {**pointer, "intent": left, "revision": pointer["revision"] + 1}


def given_up(intent: Intent) -> str:
    """Says that a deploy was ended from outside its run, and why."""
    return f"The deploy of version {intent['version']} was given up: {intent.get('ended', '')}."


def rebuilt(
    intact: LivePointer | None, revision: int, *, version: int | None, bundle_digest: str | None, task_definition: str
) -> LivePointer:
    """Returns the state after its record was lost or altered, from what ECS runs.

    Whether there was a hold is not known then, so there is one.

    Args:
        intact: The newest entry that is unaltered; None where there is none.
        revision: The highest revision that is known to have existed.
        version: The version that ECS runs; None where it runs none.
        bundle_digest: Its bundle digest.
        task_definition: The task definition that ECS runs.
    """
    before = intact or NOTHING_LIVE
    rolled_back = {known: run for known, run in before["rolled_back"].items() if known != str(version)}
    earlier = [entry for entry in before["history"] if entry != version and str(entry) not in rolled_back]
    return {
        "version": version,
        "previous": earlier[0] if earlier else None,
        "bundle_digest": bundle_digest,
        "task_definition": None if version is None else task_definition,
        "hold": True,
        "history": earlier if version is None else [version, *earlier],
        "rolled_back": rolled_back,
        "intent": None,
        "revision": revision,
    }
