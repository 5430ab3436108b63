"""What a person may change on the models page: the approval of a version, a freeze, or a run of the deploy DAG.

Each change names who made it and why. A change is refused if what it depends on has changed since the page was loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.errors import ConflictError, RefusedError
from include.pipelines.deploy import live_log
from include.pipelines.deploy.ended import end_by_person, goes_back
from include.pipelines.deploy.freeze import freeze as freeze_deploys
from include.pipelines.deploy.freeze import frozen, sentence
from include.pipelines.deploy.freeze import unfreeze as unfreeze_deploys
from include.pipelines.deploy.live import LivePointer
from include.pipelines.models.overview import ends_by_roll_back, open_deploy, target
from include.pipelines.models.versions import Version
from include.pipelines.promotion.packages import APPROVED, PENDING, REJECTED, approval_description
from include.pipelines.promotion.registry import ModelRegistry
from include.pipelines.protocols import StateStore

RELOAD = "Load the page again, and look whether this is still wanted."


@dataclass(frozen=True)
class Asked:
    """Who asks for a change, why, and what the page showed.

    Attributes:
        by: The user's name in Airflow.
        reason: Why.
        revision: Revision of the record of what is live, as the page showed it.
        at: The present.
        running: Ids of the deploy runs that have not ended.
    """

    by: str
    reason: str
    revision: int
    at: datetime
    running: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DeployRun:
    """A run of the deploy DAG that is to be triggered.

    Attributes:
        key: The same for the same change on the same state, so that a second click triggers no second run.
        conf: The run's Params.
    """

    key: str
    conf: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """What a change did, in words, and the deploy run that it needs."""

    text: str
    run: DeployRun | None = None


def approve(workload: str, version: Version, registry: ModelRegistry, state: StateStore, asked: Asked) -> Change:
    """Approves a version that waits for it, and has it deployed unless a hold or a freeze forbids that.

    Raises:
        RefusedError: It does not wait for approval.
        ConflictError: What is live has changed since the page was loaded.
    """
    live = _live(workload, state, asked)
    number = version.number
    if version.package.status != PENDING:
        raise RefusedError(f"Version {number} does not wait for approval: it is {version.package.status}. {RELOAD}")
    registry.set_approval_status(version.package.arn, APPROVED, _described("Approved", asked, version))
    done = f"Version {number} is approved."
    freeze_on = frozen(state, workload, asked.at)
    if freeze_on:
        return Change(f"{done} It is not deployed: {sentence(freeze_on)}.")
    if live["hold"]:
        return Change(f"{done} It is not deployed, because a hold is set. Release the hold.")
    return Change(done, DeployRun(f"approve-{number}-{live['revision']}", {"version": str(number)}))


def reject(workload: str, version: Version, registry: ModelRegistry, state: StateStore, asked: Asked) -> Change:
    """Rejects a version that waits for approval or is approved, so that it is never deployed.

    Raises:
        RefusedError: It is live or rejected already, or is being deployed.
        ConflictError: What is live has changed since the page was loaded.
    """
    live = _live(workload, state, asked)
    number, running = version.number, open_deploy(live, asked.running)
    if number == live["version"]:
        raise RefusedError(f"Version {number} is live. Roll back, which rejects it.")
    if running and running["version"] == number:
        raise RefusedError(f"Version {number} is being deployed by {running['run_id']}. Wait for the end of that run.")
    if version.package.status == REJECTED:
        raise RefusedError(f"Version {number} is rejected already: {version.package.description}")
    registry.set_approval_status(version.package.arn, REJECTED, _described("Rejected", asked, version))
    return Change(f"Version {number} is rejected.")


def deploy(workload: str, number: int, versions: Sequence[Version], state: StateStore, asked: Asked) -> Change:
    """Has an approved version deployed that is newer than the live one, such as one approved in a freeze.

    Raises:
        RefusedError: A rule of the deploy refuses it, or deploys are frozen.
        ConflictError: What is live has changed since the page was loaded, or a deploy is running.
    """
    live = _idle(workload, state, asked)
    found, freeze_on = target(versions, live, number), frozen(state, workload, asked.at)
    if freeze_on:
        raise RefusedError(f"{sentence(freeze_on)}. End the freeze first.")
    if found["version"] is None:
        raise RefusedError(found["refused"])
    run = DeployRun(f"deploy-{number}-{live['revision']}", {"version": str(number), "reason": _told(asked)})
    return Change(f"The deploy of version {number} is requested.", run)


def roll_back(workload: str, versions: Sequence[Version], state: StateStore, asked: Asked) -> Change:
    """Has the version before the live one deployed, and sets a hold.

    Raises:
        RefusedError: There is none to go back to.
        ConflictError: What is live has changed since the page was loaded, or a deploy is running.
    """
    live = _live(workload, state, asked)
    running = open_deploy(live, asked.running)
    if running and ends_by_roll_back(running, live):
        raise ConflictError(
            f"A deploy of version {running['version']} is running ({running['run_id']}), so version {live['version']}, "
            f"which is live, is not rolled back. {RELOAD} The page then has a button that ends that deploy."
        )
    live = _idle(workload, state, asked)
    found = target(versions, live, "previous")
    if found["version"] is None:
        raise RefusedError(found["refused"])
    run = DeployRun(f"rollback-{live['revision']}", {"version": "previous", "reason": _told(asked)})
    return Change(f"The roll-back from version {live['version']} to version {found['version']} is requested.", run)


def end_deploy(
    workload: str, run_id: str, state: StateStore, asked: Asked, *, stands_still: str, look_seconds: float
) -> Change:
    """Ends the deploy of a run that is at work, so that the live version stays, and sets a hold.

    Args:
        workload: The workload.
        run_id: The run that the page showed. Another one's deploy is not ended, and nothing live is rolled back.
        state: The state table.
        asked: Who asks.
        stands_still: Why the run takes no step, and what to do; empty if it does.
        look_seconds: How often a canary looks whether it is ended.

    Raises:
        ConflictError: What is live has changed since the page was loaded, or that run has no deploy to end.
    """
    live = _live(workload, state, asked)
    running = open_deploy(live, asked.running)
    if running is None or running["run_id"] != run_id or not ends_by_roll_back(running, live):
        raise ConflictError(
            f"Run {run_id} has no deploy that is running and could be ended. Nothing was changed. {RELOAD}"
        )
    done = f"The deploy of version {running['version']} is ended, and a hold is set."
    back = goes_back(end_by_person(workload, live, asked.by, asked.reason, state), stands_still)
    if stands_still:
        return Change(f"{done} {back}")
    return Change(
        f"{done} {back} During a canary it looks about every {look_seconds:g} seconds; the end of a rollout, or of a "
        "shadow's job, is waited for."
    )


def release_hold(workload: str, versions: Sequence[Version], state: StateStore, asked: Asked) -> Change:
    """Has the newest approved version deployed, which ends the hold.

    Raises:
        RefusedError: There is no hold, or no version to deploy, or deploys are frozen.
        ConflictError: What is live has changed since the page was loaded, or a deploy is running.
    """
    live = _idle(workload, state, asked)
    if not live["hold"]:
        raise RefusedError(f"There is no hold. {RELOAD}")
    found, freeze_on = target(versions, live, "latest"), frozen(state, workload, asked.at)
    if freeze_on:
        raise RefusedError(f"{sentence(freeze_on)}. End the freeze first.")
    if found["version"] is None:
        raise RefusedError(found["refused"])
    conf = {"version": "latest", "release_hold": True, "reason": _told(asked)}
    text = f"The deploy of version {found['version']}, which ends the hold, is requested."
    return Change(text, DeployRun(f"release-{live['revision']}", conf))


def freeze(workload: str, until: datetime, state: StateStore, asked: Asked) -> Change:
    """Freezes the deploys of a workload until an instant.

    Raises:
        UserError: It would end in the past, or too late.
        ConflictError: Somebody else freezes or unfreezes at the same time.
    """
    return Change(f"{sentence(freeze_deploys(state, workload, until, **_who(asked)))}.")


def unfreeze(workload: str, state: StateStore, asked: Asked) -> Change:
    """Ends the freeze of a workload's deploys.

    Raises:
        NothingToDoError: There is none.
        ConflictError: Somebody else freezes or unfreezes at the same time.
    """
    unfreeze_deploys(state, workload, **_who(asked))
    return Change(f"The deploys of {workload} are not frozen any more. The next approved version is deployed.")


def _live(workload: str, state: StateStore, asked: Asked) -> LivePointer:
    live = live_log.newest_entry(workload, state)
    if live["revision"] != asked.revision:
        raise ConflictError(f"What is live has changed since this page was loaded. {RELOAD}")
    return live


def _idle(workload: str, state: StateStore, asked: Asked) -> LivePointer:
    if asked.running:
        raise ConflictError(f"A deploy has not ended: {', '.join(sorted(asked.running))}. Wait for its end.")
    return _live(workload, state, asked)


def _described(verb: str, asked: Asked, version: Version) -> str:
    """The version's new description; the reasons of the promotion decision stay behind it."""
    return approval_description([f"{verb} by {_told(asked)}", f"Before: {version.package.description}"])


def _told(asked: Asked) -> str:
    return f"{asked.by}: {asked.reason}"


def _who(asked: Asked) -> dict[str, Any]:
    return {"by": asked.by, "reason": asked.reason, "at": asked.at}
