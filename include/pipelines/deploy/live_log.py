"""Reads and appends the live log (ADR 6), and notices that it was lost or altered.

An entry is written once, under its revision, and holds the whole state with a digest of it. The item ``pointer`` is a
copy of the newest entry: a deleted copy is made again, a deleted newest entry is noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from include.errors import ConflictError, NightjarError
from include.lake import state_keys
from include.lake.fingerprint import digest
from include.pipelines.deploy.live import DEPLOY_REVISION, NOTHING_LIVE, LivePointer
from include.pipelines.deploy.service import ServiceReader
from include.pipelines.protocols import StateStore

ENTRY_SORT_KEYS = state_keys.live_entry_key("", 0)[1].split("#")[0] + "#"
DIGEST = "digest"


class LiveStateError(NightjarError):
    """The record of what is live is lost or altered, or disagrees with ECS. Nothing may be deployed or promoted."""

    def __init__(self, workload: str, problem: str) -> None:
        super().__init__(
            f"{problem} Until this is repaired, nothing is promoted or deployed. Repair: make repair-live "
            f'WORKLOAD={workload} (on AWS, trigger {workload}_deploy with version "repair"): it records again what ECS '
            "runs, verifies it, and sets a hold."
        )


def read_pointer(workload: str, state: StateStore, service: ServiceReader) -> LivePointer:
    """Reads the state and checks it against what ECS runs.

    Returns:
        The newest entry; :data:`NOTHING_LIVE` if nothing was ever deployed.

    Raises:
        LiveStateError: The record is lost or altered: ECS runs a version of which there is no record, or the digest of
            the newest entry is wrong, or ECS runs the recorded task definition with another version.
    """
    pointer = newest_entry(workload, state)
    definition = service.primary()["taskDefinition"]
    environment = service.environment(definition)
    if "MODEL_VERSION" not in environment:
        return pointer
    version, bundle_digest = environment["MODEL_VERSION"], environment.get("BUNDLE_DIGEST")
    revision = deploy_revision(environment)
    if not pointer["revision"]:
        raise LiveStateError(workload, f"ECS runs version {version} ({definition}), of which the state table has none.")
    if revision > pointer["revision"]:
        raise LiveStateError(
            workload,
            f"ECS runs version {version} of deploy {revision}, but the live log ends at {pointer['revision']}.",
        )
    recorded = str(pointer["version"]), pointer["bundle_digest"]
    if definition == pointer["task_definition"] and recorded != (version, bundle_digest):
        raise LiveStateError(
            workload,
            f"The live log has version {recorded[0]} with bundle {recorded[1]} as {definition}, but that runs version "
            f"{version} with bundle {bundle_digest}.",
        )
    return pointer


def newest_entry(workload: str, state: StateStore) -> LivePointer:
    """Reads the state without asking ECS; :data:`NOTHING_LIVE` if there is no record.

    Raises:
        LiveStateError: The newest entry was altered or deleted.
    """
    items = state.query(state_keys.live_partition_key(workload), last=2)
    copy = items.pop(state_keys.live_key(workload)[1], None)
    if not items:
        if copy is None:
            return NOTHING_LIVE
        raise LiveStateError(workload, f"The live log has no entries, though the pointer is at {_revision(copy)}.")
    key, entry = max(items.items())
    if not _is_intact(key, entry):
        raise LiveStateError(workload, f"{key} of the live log was altered: its digest is wrong.")
    if copy is not None and _revision(copy) > entry["revision"]:
        raise LiveStateError(workload, f"The live log ends at {key}, but the pointer is at {_revision(copy)}.")
    if copy is not None and _revision(copy) == entry["revision"] and copy != entry:
        raise LiveStateError(workload, f"The live pointer was altered: it differs from {key} of the live log.")
    return _pointer(entry)


def append(workload: str, pointer: LivePointer, state: StateStore) -> LivePointer:
    """Writes the next entry, then its copy.

    Raises:
        ConflictError: Another run wrote this revision.
    """
    entry = {**pointer, DIGEST: digest(pointer)}
    key = state_keys.live_entry_key(workload, pointer["revision"])
    if not state.put_if(*key, entry, "attribute_not_exists(pk)") and state.get(*key) != entry:
        raise ConflictError(f"Another run wrote {key[1]} of the live log since it was read. Trigger a new run.")
    condition, names = "attribute_not_exists(pk) OR #revision < :new", {"#revision": "revision"}
    state.put_if(*state_keys.live_key(workload), entry, condition, {":new": pointer["revision"]}, names)
    return pointer


def entries(workload: str, state: StateStore) -> list[LivePointer]:
    """Returns all unaltered entries, newest first."""
    items = state.query(state_keys.live_partition_key(workload))
    return [_pointer(item) for key, item in sorted(items.items(), reverse=True) if _is_intact(key, item)]


def highest_revision(workload: str, state: StateStore) -> int:
    """Returns the highest revision that the state table still shows, also of an altered entry; 0 without any."""
    items = state.query(state_keys.live_partition_key(workload))
    keys = (int(key.removeprefix(ENTRY_SORT_KEYS)) for key in items if key.startswith(ENTRY_SORT_KEYS))
    return max([0, *keys, *(_revision(item) for item in items.values())])


def deploy_revision(environment: Mapping[str, str]) -> int:
    """Returns the revision of the intent that a task definition was registered for; 0 if no deploy registered it."""
    text = environment.get(DEPLOY_REVISION, "")
    return int(text) if text.isdecimal() else 0


def _is_intact(key: str, item: Mapping[str, Any]) -> bool:
    revision = key.removeprefix(ENTRY_SORT_KEYS)
    return revision.isdecimal() and int(revision) == item.get("revision") and digest(_pointer(item)) == item.get(DIGEST)


def _pointer(item: Mapping[str, Any]) -> LivePointer:
    return cast("LivePointer", {name: value for name, value in item.items() if name != DIGEST})


def _revision(item: Mapping[str, Any]) -> int:
    revision = item.get("revision")
    return revision if isinstance(revision, int) else 0
