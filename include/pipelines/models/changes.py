"""What a person may change on the models page: the approval of a version, a freeze, or a run of the deploy DAG.

Each change names who made it and why. A change is refused if what it depends on has changed since the page was loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.errors import ConflictError, RefusedError, UserError
from include.pipelines.deploy import live_log
from include.pipelines.deploy.ended import end_by_person
from include.pipelines.deploy.freeze import SHORTEST_REASON, frozen, sentence
from include.pipelines.deploy.freeze import freeze as freeze_deploys
from include.pipelines.deploy.freeze import unfreeze as unfreeze_deploys
from include.pipelines.deploy.live import LivePointer
from include.pipelines.models.overview import open_deploy, target
from include.pipelines.models.versions import Version
from include.pipelines.promotion.packages import APPROVED, PENDING, REJECTED, approval_description
from include.pipelines.promotion.registry import ModelRegistry
from include.pipelines.protocols import StateStore

LONGEST_REASON = 300
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
    """Goes back from what is deployed: ends a deploy that is running, or has the version before deployed. Sets a hold.

    A roll-back of the live version would wait for the end of a deploy that is running, such as a canary's minutes.

    Raises:
        RefusedError: There is none to go back to.
        ConflictError: What is live has changed since the page was loaded, or a roll-back or a repair is running.
    """
    live = _live(workload, state, asked)
    running = open_deploy(live, asked.running)
    if running and running["kind"] == "deploy" and live["version"] is not None:
        end_by_person(workload, live, asked.by, asked.reason, state)
        return Change(
            f"The deploy of version {running['version']} is ended, and a hold is set. Its run fails at its next step, "
            f"a canary within a minute, and all requests go to version {live['version']}."
        )
    live = _idle(workload, state, asked)
    found = target(versions, live, "previous")
    if found["version"] is None:
        raise RefusedError(found["refused"])
    run = DeployRun(f"rollback-{live['revision']}", {"version": "previous", "reason": _told(asked)})
    return Change(f"The roll-back from version {live['version']} to version {found['version']} is requested.", run)


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


def reason_of(text: str) -> str:
    """Checks the reason that a person gives.

    Raises:
        UserError: It is too short or too long to say anything.
    """
    reason = " ".join(text.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise UserError(f"Give a reason of {SHORTEST_REASON} to {LONGEST_REASON} characters.")
    return reason


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
