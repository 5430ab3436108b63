"""Chooses the version to deploy, or refuses the deploy."""

from __future__ import annotations

from collections.abc import Sequence

from include.errors import RefusedError
from include.lake.instants import format_instant
from include.pipelines.deploy.live import LivePointer
from include.pipelines.deploy.requested import Requested
from include.pipelines.promotion.packages import APPROVED, REJECTED, Package


class DeployRefusedError(RefusedError):
    """The deploy is refused. The message states the reason and what a person can do."""


def choose(
    packages: Sequence[Package],
    live: LivePointer,
    requested: Requested,
    *,
    automatic: bool,
    release_hold: bool = False,
) -> Package:
    """Chooses the version to deploy.

    A hold, which a rollback sets, stops ``latest`` until it is released. Only approved versions are deployed, so a
    rejected one is never tried again. An older cut-off never replaces a newer one, except by ``previous``.

    Args:
        packages: The registered versions.
        live: The live pointer.
        requested: The version asked for.
        automatic: Whether an asset or the schedule started the run. The newest version is then not deployed again when
            it is live.
        release_hold: Whether to ignore the hold.

    Raises:
        DeployRefusedError: A rule refuses the deploy.
    """
    if requested == "previous":
        return _approved(packages, _previous(live))
    if isinstance(requested, int):
        chosen = _approved(packages, requested)
    else:
        if live["hold"] and not release_hold:
            raise DeployRefusedError(
                f"Version {live['version']} is on hold since it was rolled back to. When the problem is solved, deploy "
                "with release_hold set, or deploy a version by its number."
            )
        chosen = _newest(packages)
    current = next((package for package in packages if package.version == live["version"]), None)
    if current and automatic and chosen.version == current.version:
        raise DeployRefusedError(f"Version {chosen.version} is the newest approved one and is live already.")
    if current and chosen.cutoff < current.cutoff:
        raise DeployRefusedError(
            f"Version {chosen.version} was trained on data up to {format_instant(chosen.cutoff)}, older than the live "
            f"version {current.version} ({format_instant(current.cutoff)}). Only a deploy of previous goes back."
        )
    return chosen


def _previous(live: LivePointer) -> int:
    previous = live["previous"]
    if previous is None:
        raise DeployRefusedError("There is no previous version to go back to. Deploy a version by its number.")
    return previous


def _approved(packages: Sequence[Package], version: int) -> Package:
    found = next((package for package in packages if package.version == version), None)
    if found is None:
        known = ", ".join(str(package.version) for package in packages) or "none"
        raise DeployRefusedError(f"There is no version {version}. Versions: {known}.")
    if found.status == REJECTED:
        raise DeployRefusedError(f"Version {version} is Rejected and is not tried again: {found.description}")
    if found.status != APPROVED:
        raise DeployRefusedError(f"Version {version} is {found.status}. Approve it first.")
    return found


def _newest(packages: Sequence[Package]) -> Package:
    approved = [package for package in packages if package.status == APPROVED and not package.backfilled]
    if not approved:
        raise DeployRefusedError(
            "There is no approved version. A promotion by a retrain run, or a person's approval, makes one."
        )
    return max(approved, key=lambda package: (package.cutoff, package.version))
