"""What is live of a workload and why, as the page shows it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from include.errors import NothingToDoError, RefusedError
from include.pipelines.deploy import live_log
from include.pipelines.deploy.choose import choose
from include.pipelines.deploy.ended import unfinished
from include.pipelines.deploy.freeze import Freeze, frozen
from include.pipelines.deploy.live import NOTHING_LIVE, OPEN, Intent, LivePointer
from include.pipelines.deploy.requested import Requested
from include.pipelines.models.monitoring import Measured
from include.pipelines.models.rows import VersionRow, number, row
from include.pipelines.models.versions import Version
from include.pipelines.protocols import StateStore

COST_DAYS = 30


class Target(TypedDict):
    """The version that an action would deploy, or why it would deploy none."""

    version: int | None
    refused: str


class OpenDeploy(TypedDict):
    """The deploy that is running."""

    version: int | None
    run_id: str
    ends_by_roll_back: bool
    """Whether a person may end it, so that the live version stays."""


class Overview(TypedDict):
    """The state of a workload's model."""

    workload: str
    problem: str
    """Why the record of what is live cannot be trusted; empty if it can."""
    revision: int
    """Of the record of what is live: an action is refused if it has changed since."""
    live: VersionRow | None
    hold: bool
    freeze: Freeze | None
    deploying: OpenDeploy | None
    given_up: str
    """Which deploy did not end by itself, why, and what to do; empty if the newest one did."""
    waiting: list[int]
    """The versions that wait for a person's approval, newest first."""
    newest: VersionRow | None
    versions: int
    roll_back: Target
    release: Target
    """The version that is deployed when the hold is released."""
    cost_usd: float
    """Of the versions of the last 30 days."""
    monitoring: list[Measured]


def read_live(workload: str, state: StateStore) -> tuple[LivePointer, str]:
    """Reads what is live, and why the record cannot be trusted (empty if it can)."""
    try:
        return live_log.newest_entry(workload, state), ""
    except live_log.LiveStateError as error:
        return NOTHING_LIVE, str(error)


def overview(
    workload: str,
    versions: Sequence[Version],
    state: StateStore,
    monitoring: list[Measured],
    *,
    present: datetime,
    running: Collection[str],
    stands_still: str = "",
) -> Overview:
    """Returns the state of a workload's model.

    Args:
        workload: The workload.
        versions: Its versions, newest first.
        state: The state table.
        monitoring: The latest values of what is monitored.
        present: The present.
        running: Ids of the deploy runs that have not ended.
        stands_still: Why no deploy run takes a step, and what to do; empty if they do.
    """
    live, problem = read_live(workload, state)
    rows = {version.number: version for version in versions}
    current = rows.get(live["version"] or 0)
    deploying = open_deploy(live, running)
    return {
        "workload": workload,
        "problem": problem,
        "revision": live["revision"],
        "live": row(current, live) if current else None,
        "hold": live["hold"],
        "freeze": frozen(state, workload, present),
        "deploying": _shown(deploying, live) if deploying else None,
        "given_up": unfinished(workload, live, running, stands_still),
        "waiting": [version.number for version in versions if row(version, live)["waits"]],
        "newest": row(versions[0], live) if versions else None,
        "versions": len(versions),
        "roll_back": target(versions, live, "previous"),
        "release": target(versions, live, "latest"),
        "cost_usd": round(_cost(versions, present - timedelta(days=COST_DAYS)), 4),
        "monitoring": monitoring,
    }


def open_deploy(live: LivePointer, running: Collection[str]) -> Intent | None:
    """Returns what the running deploy is about to do; None if there is none, or its run has ended.

    Args:
        live: What is live.
        running: Ids of the deploy runs that have not ended.
    """
    intent = live["intent"]
    return intent if intent and intent["status"] == OPEN and intent["run_id"] in running else None


def ends_by_roll_back(intent: Intent, live: LivePointer) -> bool:
    """Returns whether a person may end the running deploy: it brings something new, and there is a live version."""
    return intent["kind"] == "deploy" and live["version"] is not None


def _shown(intent: Intent, live: LivePointer) -> OpenDeploy:
    ends = ends_by_roll_back(intent, live)
    return {"version": intent["version"], "run_id": intent["run_id"], "ends_by_roll_back": ends}


def target(versions: Sequence[Version], live: LivePointer, requested: Requested) -> Target:
    """Returns the version that a deploy would take, by the deploy's own rules."""
    packages = [version.package for version in versions]
    try:
        choice = choose(packages, live, requested, automatic=False, release_hold=True)
    except (NothingToDoError, RefusedError) as refusal:
        return {"version": None, "refused": str(refusal)}
    return {"version": choice.package.version, "refused": ""}


def _cost(versions: Sequence[Version], since: datetime) -> float:
    recent = (version for version in versions if version.created and version.created.astimezone(UTC) >= since)
    return sum(number(version.package.metadata["cost_usd"]) or 0.0 for version in recent)
