"""Chooses the version to deploy, or refuses the deploy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from include.errors import NothingToDoError, RefusedError
from include.lake.instants import format_instant
from include.lake.uris import SCHEME
from include.pipelines.deploy.freeze import Freeze, sentence
from include.pipelines.deploy.live import Kind, LivePointer, verified_versions
from include.pipelines.deploy.requested import Requested
from include.pipelines.promotion.packages import APPROVED, REJECTED, Package

GOING_BACK = ("rollback", "repair")


class DeployRefusedError(RefusedError):
    """The deploy is refused. The message states the reason and what a person can do."""


@dataclass(frozen=True)
class Choice:
    """The version to deploy, and what the deploy is."""

    package: Package
    kind: Kind


def choose(
    packages: Sequence[Package],
    live: LivePointer,
    requested: Requested,
    *,
    automatic: bool,
    release_hold: bool = False,
    reason: str | None = None,
) -> Choice:
    """Chooses the version to deploy.

    A hold, which a rollback sets, stops ``latest`` until it is released. Only approved versions are deployed, and older
    data never replaces newer. With a reason, a person can go to any version that was once verified live. ``live``
    deploys the live version again, with the image and the template of now; it needs no approval and keeps a hold.

    Args:
        packages: The registered versions.
        live: The live pointer.
        requested: The version asked for.
        automatic: Whether an asset or the schedule started the run. The newest version is then not deployed again when
            it is live.
        release_hold: Whether to ignore the hold.
        reason: Why a person goes back to a version.

    Raises:
        DeployRefusedError: A rule refuses the deploy.
        NothingToDoError: ``live`` is asked for, and no version is.
    """
    current = next((package for package in packages if package.version == live["version"]), None)
    if requested == "repair":
        return Choice(_in_s3(_known(packages, live["version"])), "repair")
    if requested == "live":
        if live["version"] is None:
            raise NothingToDoError("No version was verified live yet, so there is none to deploy again.")
        return Choice(_in_s3(_known(packages, live["version"])), "deploy")
    if requested == "previous":
        return Choice(_in_s3(_previous(packages, live, current)), "rollback")
    if isinstance(requested, int):
        chosen = _by_number(packages, live, requested, reason)
    else:
        if live["hold"] and not release_hold:
            raise DeployRefusedError(
                f"Version {live['version']} is on hold since a rollback, or since a repair of the record of what is "
                "live. When the problem is solved, deploy with release_hold set, or deploy a version by its number."
            )
        chosen = _newest(packages, live)
    if automatic and live["version"] is not None and current is None:
        raise DeployRefusedError(
            f"The registry has no version {live['version']}, which is live, so nothing can be compared with it. "
            "Deploy a version by its number."
        )
    if current and automatic and chosen.version == current.version:
        raise DeployRefusedError(f"Version {chosen.version} is the newest approved one and is live already.")
    goes_back = current is not None and chosen.cutoff < current.cutoff
    if current and goes_back and not (reason and chosen.version in verified_versions(live)):
        raise DeployRefusedError(
            f"Version {chosen.version} was trained on data up to {format_instant(chosen.cutoff)}, older than the live "
            f"version {current.version} ({format_instant(current.cutoff)}). Only a deploy of previous goes back, or "
            "one of a version that was once verified live, by its number and with a reason."
        )
    return Choice(_in_s3(chosen), "rollback" if goes_back else "deploy")


def check_freeze(choice: Choice, reason: str | None, freeze: Freeze | None) -> None:
    """Checks that no freeze stops a deploy. A person may go back, or repair the record, with a reason.

    Raises:
        DeployRefusedError: A freeze stops it.
    """
    if freeze is None:
        return
    if choice.kind not in GOING_BACK:
        raise DeployRefusedError(
            f"{sentence(freeze)}. So version {choice.package.version} is not deployed. After the freeze, trigger a "
            "deploy, or wait for the next approved version. In the freeze a person may go back, with a reason."
        )
    if not reason:
        raise DeployRefusedError(f"{sentence(freeze)}. To go back in spite of it, give the reason.")


def _previous(packages: Sequence[Package], live: LivePointer, current: Package | None) -> Package:
    """The version that was verified live before the current one: approved, not rolled back, with no newer data."""
    approved = {package.version: package for package in packages if package.status == APPROVED}
    for version in live["history"]:
        package = approved.get(version)
        if package and version != live["version"] and (current is None or package.cutoff <= current.cutoff):
            return package
    raise DeployRefusedError(
        "There is no previous version to go back to: none that was verified live before, is approved and was not "
        "rolled back. Deploy a version by its number; with a reason, any that was once verified live."
    )


def _by_number(packages: Sequence[Package], live: LivePointer, version: int, reason: str | None) -> Package:
    found = _known(packages, version)
    if found.status != APPROVED or str(version) in live["rolled_back"]:
        if reason and version in verified_versions(live):
            return found
        by_person = (
            " It was once verified live, so it can be deployed with a reason."
            if version in verified_versions(live)
            else ""
        )
        if str(version) in live["rolled_back"]:
            run = live["rolled_back"][str(version)]
            raise DeployRefusedError(f"Version {version} was rolled back from, by {run}.{by_person}")
        if found.status == REJECTED:
            raise DeployRefusedError(
                f"Version {version} is Rejected and is not tried again: {found.description}{by_person}"
            )
        raise DeployRefusedError(f"Version {version} is {found.status}. Approve it first.{by_person}")
    return found


def _known(packages: Sequence[Package], version: int | None) -> Package:
    found = next((package for package in packages if package.version == version), None)
    if found is None:
        known = ", ".join(str(package.version) for package in packages) or "none"
        raise DeployRefusedError(f"There is no version {version}. Versions: {known}.")
    return found


def _newest(packages: Sequence[Package], live: LivePointer) -> Package:
    approved = [
        package
        for package in packages
        if package.status == APPROVED and not package.backfilled and str(package.version) not in live["rolled_back"]
    ]
    if not approved:
        raise DeployRefusedError(
            "There is no approved version. A promotion by a retrain run, or a person's approval, makes one."
        )
    return max(approved, key=lambda package: (package.cutoff, package.version))


def _in_s3(package: Package) -> Package:
    uri = package.metadata["bundle_uri"]
    if not uri.startswith(SCHEME):
        raise DeployRefusedError(
            f"The bundle of version {package.version} is at {uri}. Only bundles in S3 are deployed: train again."
        )
    return package
