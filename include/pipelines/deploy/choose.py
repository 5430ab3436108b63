"""Which version a deploy takes, or why it takes none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from include.errors import RefusedError, UserError
from include.lake.instants import format_instant
from include.pipelines.promotion.packages import APPROVED, REJECTED, Package

Requested = int | Literal["latest", "previous"]


class DeployRefusedError(RefusedError):
    """The deploy is refused. The message states the reason and what a person can do."""


def read_version(value: Any) -> Requested:
    """Reads the Param ``version``: a number (also as text), ``previous`` or ``latest``; nothing means ``latest``.

    Raises:
        UserError: The value is none of these.
    """
    if value in (None, "", "latest"):
        return "latest"
    if value == "previous":
        return "previous"
    if str(value).isdecimal() and int(value) > 0:
        return int(value)
    raise UserError(f'Param "version" is {value!r}: give a version number, "previous" or "latest"')


def choose(
    packages: Sequence[Package],
    live: Mapping[str, Any],
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
        live: The live pointer (``version``, ``previous``, ``hold``); empty before the first deploy.
        requested: See :func:`read_version`.
        automatic: No person asked for the deploy. The newest version is then not deployed again when it is live.
        release_hold: The hold does not count.

    Raises:
        DeployRefusedError: A rule refuses the deploy.
    """
    if requested == "previous":
        return _approved(packages, _previous(live))
    if isinstance(requested, int):
        chosen = _approved(packages, requested)
    else:
        if live.get("hold") and not release_hold:
            raise DeployRefusedError(
                f"Version {live['version']} is on hold since it was rolled back to. When the problem is solved, deploy "
                "with release_hold set, or deploy a version by its number."
            )
        chosen = _newest(packages)
    current = next((package for package in packages if package.version == live.get("version")), None)
    if current and automatic and chosen.version == current.version:
        raise DeployRefusedError(f"Version {chosen.version} is the newest approved one and is live already.")
    if current and chosen.cutoff < current.cutoff:
        raise DeployRefusedError(
            f"Version {chosen.version} was trained on data up to {format_instant(chosen.cutoff)}, older than the live "
            f"version {current.version} ({format_instant(current.cutoff)}). Only a deploy of previous goes back."
        )
    return chosen


def _previous(live: Mapping[str, Any]) -> int:
    previous: int | None = live.get("previous")
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
