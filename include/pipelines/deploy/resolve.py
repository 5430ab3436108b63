"""The first step of a deploy: which version is deployed, and what it replaces."""

from __future__ import annotations

from typing import TypedDict

from include.errors import ConflictError, NothingToDoError
from include.lake.instants import format_instant
from include.pipelines.deploy.choose import choose
from include.pipelines.deploy.live import LivePointer, read_pointer, reconcile, write_pointer
from include.pipelines.deploy.requested import Requested, read_version
from include.pipelines.deploy.service import ServiceReader
from include.pipelines.promotion.packages import read_packages
from include.pipelines.promotion.registry import ModelRegistry
from include.pipelines.protocols import StateStore


class DeployParams(TypedDict):
    """The Params of a deploy run."""

    version: int | str | None
    release_hold: bool
    dry_run: bool


class DeployTarget(TypedDict):
    """What the task ``resolve`` returns: the version to deploy, and what served before the deploy."""

    version: int
    cutoff: str
    package_arn: str
    bundle_uri: str
    bundle_digest: str
    requested: Requested
    live_version: int | None
    live_arn: str | None
    previous_task_definition: str
    pointer: LivePointer


def resolve(
    workload: str,
    params: DeployParams,
    state: StateStore,
    service: ServiceReader,
    registry: ModelRegistry,
    *,
    automatic: bool,
) -> DeployTarget:
    """Chooses the version to deploy, after the live pointer was reconciled with what ECS runs.

    Raises:
        NothingToDoError: The run is a dry run, which writes nothing. The message names the version.
        UserError: The Param ``version`` has a wrong value.
        DeployRefusedError: A rule refuses the deploy.
        ConflictError: Another rollout of the service is in progress.
    """
    pointer, primary = read_pointer(workload, state), service.primary()
    definition = primary["taskDefinition"]
    if primary["desiredCount"]:
        if primary.get("rolloutState") == "IN_PROGRESS":
            raise ConflictError(
                f"The service is being rolled out to {definition} by someone else. Wait until that ends."
            )
        if primary.get("rolloutState") == "COMPLETED":
            reconciled = reconcile(pointer, definition, service.environment(definition))
            if reconciled != pointer and not params["dry_run"]:
                write_pointer(workload, reconciled, state)
            pointer = reconciled
    packages = read_packages(registry.described())
    requested = read_version(params["version"])
    package = choose(packages, pointer, requested, automatic=automatic, release_hold=params["release_hold"])
    if params["dry_run"]:
        raise NothingToDoError(f"Dry run: would deploy version {package.version} in place of {pointer['version']}.")
    return {
        "version": package.version,
        "cutoff": format_instant(package.cutoff),
        "package_arn": package.arn,
        "bundle_uri": package.metadata["bundle_uri"],
        "bundle_digest": package.metadata["bundle_digest"],
        "requested": requested,
        "live_version": pointer["version"],
        "live_arn": next((known.arn for known in packages if known.version == pointer["version"]), None),
        "previous_task_definition": definition,
        "pointer": pointer,
    }
