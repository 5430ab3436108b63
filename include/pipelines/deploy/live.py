"""The live pointer: which version serves, what it replaced, and what is written when that changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, cast

from include.errors import ConflictError
from include.lake import layout
from include.pipelines.deploy.requested import Requested
from include.pipelines.promotion.decide import HISTORY
from include.pipelines.protocols import StateStore


class LivePointer(TypedDict):
    """The item of the state table."""

    version: int | None
    """The version that serves; None before the first deploy."""
    previous: int | None
    """The version that it replaced."""
    bundle_digest: str | None
    task_definition: str | None
    hold: bool
    """Whether automatic deploys are stopped."""
    revision: int
    """Number of changes: a write succeeds only on the revision that was read."""
    history: list[int]
    """The versions that were live, newest first."""


NOTHING_LIVE: LivePointer = {
    "version": None,
    "previous": None,
    "bundle_digest": None,
    "task_definition": None,
    "hold": False,
    "revision": 0,
    "history": [],
}


def read_pointer(workload: str, state: StateStore) -> LivePointer:
    """Reads the live pointer; :data:`NOTHING_LIVE` before the first deploy."""
    stored = state.get(*layout.live_key(workload)) or {}
    return cast("LivePointer", {**NOTHING_LIVE, **stored})


def write_pointer(workload: str, pointer: LivePointer, state: StateStore) -> None:
    """Writes the pointer if the stored one is its predecessor; a retry that finds its own write succeeds.

    Raises:
        ConflictError: Another writer changed the pointer.
    """
    key, before = layout.live_key(workload), {":before": pointer["revision"] - 1}
    condition = "attribute_not_exists(pk) OR #revision = :before"
    written = state.put_if(*key, pointer, condition, before, {"#revision": "revision"})
    if not written and state.get(*key) != pointer:
        raise ConflictError(f"Another writer changed the live pointer {key} since it was read. Run the deploy again.")


def reconcile(pointer: LivePointer, task_definition: str, environment: Mapping[str, str]) -> LivePointer:
    """Returns the pointer as it should be when ECS has rolled out ``task_definition`` with this environment.

    ECS is the source of truth, because a run may have died between its rollout and its write. A service that runs
    no model version (it was just created) changes nothing.
    """
    if task_definition == pointer["task_definition"] or "MODEL_VERSION" not in environment:
        return pointer
    return _moved(pointer, int(environment["MODEL_VERSION"]), environment["BUNDLE_DIGEST"], task_definition)


def after_deploy(
    pointer: LivePointer,
    *,
    version: int,
    bundle_digest: str,
    task_definition: str,
    requested: Requested,
    release_hold: bool,
) -> LivePointer:
    """Returns the pointer after a verified deploy.

    A deploy of ``previous`` sets the hold, and only ``release_hold`` removes it.
    """
    moved = _moved(pointer, version, bundle_digest, task_definition)
    if requested == "previous":
        replaced = pointer["version"]
        history = [entry for entry in moved["history"] if entry != replaced]
        return {**moved, "hold": not release_hold, "history": history}
    return {**moved, "hold": bool(pointer["hold"]) and not release_hold}


def _moved(pointer: LivePointer, version: int, bundle_digest: str, task_definition: str) -> LivePointer:
    is_same = version == pointer["version"]
    return {
        **pointer,
        "version": version,
        "previous": pointer["previous"] if is_same else pointer["version"],
        "bundle_digest": bundle_digest,
        "task_definition": task_definition,
        "revision": pointer["revision"] + 1,
        "history": [version, *(entry for entry in pointer["history"] if entry != version)][:HISTORY],
    }
