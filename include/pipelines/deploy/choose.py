"""Which version a deploy takes, or why it takes none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from include.pipelines.promotion.packages import APPROVED, REJECTED, Package


class Refusal(Exception):
    """This deploy is not to be. The text says why and what a person can do."""


def read_version(value: Any) -> int | str:
    """The Param ``version``: an integer (also as text), ``previous`` or ``latest``; nothing means ``latest``. Raises
    ValueError.
    """
    if value in (None, "", "latest"):
        return "latest"
    if value == "previous":
        return "previous"
    if str(value).isdecimal() and int(value) > 0:
        return int(value)
    raise ValueError(f'Param "version" is {value!r}: give a version number, "previous" or "latest"')


def choose(
    packages: Sequence[Package],
    live: Mapping[str, Any],
    requested: int | str,
    *,
    automatic: bool,
    release_hold: bool = False,
) -> Package:
    """The package to deploy; raises :class:`Refusal`.

    :param live: the live pointer (``version``, ``previous``, ``hold``), empty before the first deploy.
    :param requested: see :func:`read_version`.
    :param automatic: no person asked: the newest version that is live already is then not deployed again.

    Rules: a hold (set by a rollback) stops ``latest`` until released; only Approved versions are deployed, so a Rejected one
    is never tried again; an older cut-off never replaces a newer one, but for ``previous``.
    """
    if requested == "previous":
        return _approved(packages, _previous(live))
    if isinstance(requested, int):
        chosen = _approved(packages, requested)
    else:
        if live.get("hold") and not release_hold:
            raise Refusal(
                f"Version {live['version']} is on hold since it was rolled back to. "
                "Deploy with release_hold set, or a version by its number, when the trouble is over."
            )
        chosen = _newest(packages)
    current = next((package for package in packages if package.version == live.get("version")), None)
    if current and automatic and chosen.version == current.version:
        raise Refusal(f"Version {chosen.version} is the newest approved one and is live already.")
    if current and chosen.cutoff < current.cutoff:
        raise Refusal(
            f"Version {chosen.version} was trained on data up to {chosen.cutoff}, older than the live version {current.version} "
            f"({current.cutoff}). Only a deploy of previous goes back."
        )
    return chosen


def _previous(live: Mapping[str, Any]) -> int:
    if live.get("previous") is None:
        raise Refusal("There is no previous version to go back to.")
    return live["previous"]


def _approved(packages: Sequence[Package], version: int) -> Package:
    found = next((package for package in packages if package.version == version), None)
    if found is None:
        raise Refusal(
            f"There is no version {version}. Versions: {', '.join(str(p.version) for p in packages) or 'none'}."
        )
    if found.status == REJECTED:
        raise Refusal(f"Version {version} is Rejected and is not tried again: {found.description}")
    if found.status != APPROVED:
        raise Refusal(f"Version {version} is {found.status}. Approve it first.")
    return found


def _newest(packages: Sequence[Package]) -> Package:
    approved = [package for package in packages if package.status == APPROVED and not package.backfilled]
    if not approved:
        raise Refusal("There is no approved version. A retrain that is promoted, or an approval, makes one.")
    return max(approved, key=lambda package: (package.cutoff, package.version))
