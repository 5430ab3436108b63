"""The live pointer: which version serves, what it replaced, and what has to be written when that changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.pipelines.promotion.decide import HISTORY

NOTHING_LIVE: dict[str, Any] = {
    "version": None,
    "previous": None,
    "bundle_digest": None,
    "task_definition": None,
    "hold": False,
    "revision": 0,
    "history": [],
}


def reconciled(pointer: Mapping[str, Any], task_definition: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The pointer as it should be when ECS has rolled out ``task_definition`` with this environment.

    ECS is right about what serves: a run may have died between its rollout and its write. A service that runs no version of
    ours (it was just created) changes nothing.
    """
    if task_definition == pointer["task_definition"] or "MODEL_VERSION" not in environment:
        return dict(pointer)
    version = int(environment["MODEL_VERSION"])
    return _moved(pointer, version, environment["BUNDLE_DIGEST"], task_definition)


def after_deploy(
    pointer: Mapping[str, Any],
    *,
    version: int,
    bundle_digest: str,
    task_definition: str,
    requested: int | str,
    release_hold: bool,
) -> dict[str, Any]:
    """The pointer after a verified deploy. Going back to ``previous`` sets the hold; only ``release_hold`` takes it away."""
    moved = _moved(pointer, version, bundle_digest, task_definition)
    if requested == "previous":
        left = pointer["version"]
        history = [entry for entry in moved["history"] if entry != left]
        return {**moved, "hold": not release_hold, "history": history}
    return {**moved, "hold": bool(pointer["hold"]) and not release_hold}


def _moved(pointer: Mapping[str, Any], version: int, bundle_digest: str, task_definition: str) -> dict[str, Any]:
    same = version == pointer["version"]
    return {
        **pointer,
        "version": version,
        "previous": pointer["previous"] if same else pointer["version"],
        "bundle_digest": bundle_digest,
        "task_definition": task_definition,
        "revision": pointer["revision"] + 1,
        "history": [version, *(entry for entry in pointer["history"] if entry != version)][:HISTORY],
    }
