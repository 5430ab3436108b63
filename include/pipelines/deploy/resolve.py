"""The first step of a deploy: which version is deployed, recorded as an intent before anything changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict

from include.errors import ConflictError, NightjarError, NothingToDoError, RefusedError
from include.lake.instants import format_instant
from include.pipelines.deploy import live_log
from include.pipelines.deploy.choose import Choice, DeployRefusedError, check_freeze, choose
from include.pipelines.deploy.ended import check_not_ended
from include.pipelines.deploy.freeze import frozen
from include.pipelines.deploy.go_back import go_back
from include.pipelines.deploy.hooks import DeployHooks
from include.pipelines.deploy.live import ABANDONED, DEPLOY_REVISION, LIVE, OPEN, LivePointer, abandoned, begun, rebuilt
from include.pipelines.deploy.registry_agreement import check_live_package, settle
from include.pipelines.deploy.requested import Requested, read_version
from include.pipelines.deploy.service import PrimaryDeployment, ServiceReader
from include.pipelines.promotion.packages import Package, read_packages
from include.pipelines.protocols import StateStore


class SupersededError(RefusedError):
    """Another deploy run is newer, so this one does nothing."""


class UnverifiedServiceError(NightjarError):
    """The service runs something other than the last verified version, and no deploy replaces it."""


class DeployParams(TypedDict):
    """The Params of a deploy run."""

    version: int | str | None
    release_hold: bool
    reason: str | None
    dry_run: bool


class DeployTarget(TypedDict):
    """What the task ``resolve`` returns: the version to deploy."""

    version: int
    cutoff: str
    package_arn: str
    bundle_uri: str
    bundle_digest: str
    card_uri: str
    """The URI of the version's model card; empty if it has none."""
    environment: dict[str, str]
    """The environment variables of the service that name the bundle."""
    live_version: int | None
    """The version that was verified live before."""
    revision: int
    """The revision of the run's intent in the live log."""


def resolve(
    workload: str,
    params: DeployParams,
    hooks: DeployHooks,
    *,
    run_id: str,
    automatic: bool,
    present: datetime,
) -> DeployTarget:
    """Chooses the version to deploy and records the intent.

    Repeated by a run whose version went live, it returns the same target. A freeze that is on at ``present`` counts.

    Raises:
        NothingToDoError: The run is a dry run, which writes nothing, or the version asked for does not exist yet.
        UserError: The Param ``version`` has a wrong value.
        DeployRefusedError: A rule refuses the deploy.
        SupersededError: The run began a deploy before, and another run has begun one since.
        DeployEndedError: The run began a deploy before, which was ended from outside.
        UnverifiedServiceError: The service runs something other than the last verified version, and a rule refuses the
            deploy that would replace it. The service then goes back.
        LiveStateError: The record of what is live is lost or altered.
        ConflictError: Another rollout of the service is in progress, or another run began a deploy.
    """
    requested = read_version(params["version"])
    state, service, registry = hooks.state, hooks.service, hooks.registry
    pointer = _pointer(workload, requested, state, service)
    primary = service.primary()
    _check_not_superseded(workload, run_id, pointer, state)
    check_not_ended(pointer, run_id)
    if hooks.canary and not params["dry_run"]:
        hooks.canary.end()  # one run is active at a time: what is left is of a dead one
    _check_rollout(primary, pointer, service)
    packages = read_packages(registry.described())
    check_live_package(workload, pointer, packages)
    if not params["dry_run"]:
        packages = settle(pointer, packages, registry)
    if _is_live(pointer, run_id):
        return _target(workload, pointer, choose(packages, pointer, "repair", automatic=False).package)
    try:
        choice = choose(
            packages,
            pointer,
            requested,
            automatic=automatic,
            release_hold=params["release_hold"],
            reason=params["reason"],
        )
        check_freeze(choice, params["reason"], frozen(state, workload, present))
    except DeployRefusedError as refusal:
        if params["dry_run"] or not _runs_unverified(primary, pointer, service):
            raise
        intent = begun(
            pointer, run_id=run_id, kind="restore", version=pointer["version"], release_hold=False, reason=None
        )
        live_log.append(workload, intent, state)
        # Here, not in a later task: a person may clear this task without those after it.
        go_back(live_log.append(workload, abandoned(intent), state), service)
        raise UnverifiedServiceError(
            f"The service runs {primary['taskDefinition']}, which was not verified; it goes back to version "
            f"{pointer['version']} ({pointer['task_definition']}). No other version is deployed: {refusal}"
        ) from refusal
    if params["dry_run"]:
        raise NothingToDoError(
            f"Dry run: would deploy version {choice.package.version} in place of {pointer['version']}."
        )
    return _target(workload, _recorded(workload, pointer, choice, params, state, run_id), choice.package)


def _pointer(workload: str, requested: Requested, state: StateStore, service: ServiceReader) -> LivePointer:
    """Reads the pointer; for a repair, rebuilds one that is lost or altered from what ECS runs."""
    try:
        pointer = live_log.read_pointer(workload, state, service)
    except live_log.LiveStateError:
        if requested != "repair":
            raise
    else:
        if requested == "repair" and pointer["version"] is None:
            raise NothingToDoError("No version was verified live, so there is nothing to repair.")
        return pointer
    primary = service.primary()
    definition = primary["taskDefinition"]
    environment = service.environment(definition)
    revision = max(live_log.highest_revision(workload, state), live_log.deploy_revision(environment))
    runs = "MODEL_VERSION" in environment and primary["desiredCount"] > 0
    return rebuilt(
        next(iter(live_log.entries(workload, state)), None),
        revision,
        version=int(environment["MODEL_VERSION"]) if runs else None,
        bundle_digest=environment["BUNDLE_DIGEST"] if runs else None,
        task_definition=definition,
    )


def _check_not_superseded(workload: str, run_id: str, pointer: LivePointer, state: StateStore) -> None:
    newest = pointer["intent"]
    if newest is None or newest["run_id"] == run_id:
        return
    if any(entry["intent"] and entry["intent"]["run_id"] == run_id for entry in live_log.entries(workload, state)):
        raise SupersededError(
            f"Deploy {newest['run_id']} of version {newest['version']} began after this run did, so this run does "
            "nothing. Trigger a new run."
        )


def _check_rollout(primary: PrimaryDeployment, pointer: LivePointer, service: ServiceReader) -> None:
    """A rollout in progress that an earlier deploy began may be replaced; another may not."""
    definition = primary["taskDefinition"]
    if not primary["desiredCount"] or primary.get("rolloutState") != "IN_PROGRESS":
        return
    is_a_deploys = live_log.deploy_revision(service.environment(definition)) > 0
    if definition != pointer["task_definition"] and not is_a_deploys:
        raise ConflictError(f"The service is being rolled out to {definition} by someone else. Wait until that ends.")


def _is_live(pointer: LivePointer, run_id: str) -> bool:
    intent = pointer["intent"]
    return intent is not None and intent["run_id"] == run_id and intent["status"] == LIVE


def _runs_unverified(primary: PrimaryDeployment, pointer: LivePointer, service: ServiceReader) -> bool:
    """Whether the service runs something other than the verified task definition."""
    definition = primary["taskDefinition"]
    if not primary["desiredCount"] or definition == pointer["task_definition"]:
        return False
    # Before the first verified version, infrastructure's template is no version that a deploy has left behind.
    return pointer["version"] is not None or live_log.deploy_revision(service.environment(definition)) > 0


def _recorded(
    workload: str, pointer: LivePointer, choice: Choice, params: DeployParams, state: StateStore, run_id: str
) -> LivePointer:
    """Records the intent, unless this run has done so already."""
    intent, version = pointer["intent"], choice.package.version
    asked = (run_id, choice.kind, version, OPEN)
    if intent and (intent["run_id"], intent["kind"], intent["version"], intent["status"]) == asked:
        return pointer
    changed = begun(
        pointer,
        run_id=run_id,
        kind=choice.kind,
        version=version,
        release_hold=params["release_hold"],
        reason=params["reason"],
    )
    return live_log.append(workload, changed, state)


def _target(workload: str, pointer: LivePointer, package: Package) -> DeployTarget:
    intent = pointer["intent"]
    if intent is None or intent["status"] == ABANDONED:
        raise ValueError("no deploy was begun")
    return {
        "version": package.version,
        "cutoff": format_instant(package.cutoff),
        "package_arn": package.arn,
        "bundle_uri": package.metadata["bundle_uri"],
        "bundle_digest": package.metadata["bundle_digest"],
        "card_uri": package.metadata.get("card_uri", ""),
        "environment": {
            "BUNDLE_URI": package.metadata["bundle_uri"],
            "BUNDLE_DIGEST": package.metadata["bundle_digest"],
            "MODEL_VERSION": str(package.version),
            DEPLOY_REVISION: str(intent["revision"]),
            "WORKLOAD": workload,
        },
        "live_version": intent["replaces"],
        "revision": intent["revision"],
    }


def with_card(target: DeployTarget, address: Callable[[str], str]) -> DeployTarget:
    """Adds the address of the version's model card to the service's environment, for its page.

    Args:
        target: What :func:`resolve` returns.
        address: Returns the address at which a browser shows a document, or an empty text if no console does.
    """
    url = address(target["card_uri"]) if target["card_uri"] else ""
    return {**target, "environment": {**target["environment"], "MODEL_CARD_URL": url}} if url else target
