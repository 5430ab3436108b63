"""What the deploy DAG's own tasks do: choose a version, and make it the live one. The AWS hooks are handed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from include.lake import layout
from include.pipelines.deploy.choose import choose, read_version
from include.pipelines.deploy.live import NOTHING_LIVE, after_deploy, reconciled
from include.pipelines.promotion.packages import REJECTED, read_packages


class Conflict(RuntimeError):
    """Somebody else changes what is live at this moment. Trying again later helps."""


class State(Protocol):
    """The state table (``nightjar.state.hook.StateHook``)."""

    def get(self, pk: str, sk: str) -> dict[str, Any] | None: ...
    def put_if(self, pk: str, sk: str, item: Mapping[str, Any], condition: str, values: Any, names: Any) -> bool: ...


class Service(Protocol):
    """The ECS service (``nightjar.jobs.ecs.service.EcsServiceHook``)."""

    def primary(self) -> dict[str, Any]: ...
    def environment(self, task_definition: str) -> dict[str, str]: ...


class Registry(Protocol):
    """The model registry (``nightjar.jobs.sagemaker.registry.RegistryHook``)."""

    def described(self) -> list[dict[str, Any]]: ...
    def judge(self, arn: str, status: str, description: str) -> None: ...


def read_pointer(workload: str, state: State) -> dict[str, Any]:
    """The live pointer; :data:`NOTHING_LIVE` before the first deploy."""
    return {**NOTHING_LIVE, **(state.get(*layout.live_key(workload)) or {})}


def write_pointer(workload: str, pointer: Mapping[str, Any], state: State) -> None:
    """Writes the pointer if the stored one is its predecessor (revision); a retry that finds its own write is content. Raises
    Conflict.
    """
    key, before = layout.live_key(workload), {":before": pointer["revision"] - 1}
    written = state.put_if(
        *key, pointer, "attribute_not_exists(pk) OR #revision = :before", before, {"#revision": "revision"}
    )
    if not written and state.get(*key) != pointer:
        raise Conflict(f"Another writer changed the live pointer {key} since it was read. Run the deploy again.")


def resolve(
    workload: str, params: Mapping[str, Any], *, automatic: bool, state: State, service: Service, registry: Registry
) -> dict[str, Any]:
    """What to deploy, after the live pointer was brought in line with what ECS runs (not in a dry run).

    Raises ``include.pipelines.deploy.choose.Refusal``; :class:`Conflict` while somebody else's rollout is under way.
    """
    pointer, primary = read_pointer(workload, state), service.primary()
    definition = primary["taskDefinition"]
    if primary["desiredCount"]:
        if primary.get("rolloutState") == "IN_PROGRESS":
            raise Conflict(f"The service is being rolled to {definition} by someone else. Wait until that has ended.")
        if primary.get("rolloutState") == "COMPLETED":
            seen = reconciled(pointer, definition, service.environment(definition))
            if seen != pointer and not params["dry_run"]:
                write_pointer(workload, seen, state)
            pointer = seen
    packages = read_packages(registry.described())
    requested = read_version(params["version"])
    package = choose(packages, pointer, requested, automatic=automatic, release_hold=params["release_hold"])
    return {
        "version": package.version,
        "cutoff": package.cutoff,
        "package_arn": package.arn,
        "bundle_uri": package.metadata["bundle_uri"],
        "bundle_digest": package.metadata["bundle_digest"],
        "requested": requested,
        "live_version": pointer["version"],
        "live_arn": next((p.arn for p in packages if p.version == pointer["version"]), None),
        "previous_task_definition": definition,
        "pointer": pointer,
    }


def go_live(
    workload: str,
    target: Mapping[str, Any],
    task_definition: str,
    release_hold: bool,
    run_id: str,
    *,
    state: State,
    registry: Registry,
) -> dict[str, Any]:
    """Makes the verified version (``target``: what :func:`resolve` gave) the live one; a version gone back from is Rejected.

    Returns the pointer. Raises :class:`Conflict`.
    """
    pointer = after_deploy(
        target["pointer"],
        version=target["version"],
        bundle_digest=target["bundle_digest"],
        task_definition=task_definition,
        requested=target["requested"],
        release_hold=release_hold,
    )
    write_pointer(workload, pointer, state)
    if target["requested"] == "previous" and target["live_arn"]:
        registry.judge(target["live_arn"], REJECTED, f"Rolled back from, by {run_id}")
    return pointer
