"""A version as the page's table, its plot and its details show it: values that JSON has, and no markup."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, cast

from include.errors import NightjarError
from include.lake.instants import format_instant
from include.pipelines.deploy.live import LivePointer, verified_versions
from include.pipelines.models.versions import Version
from include.pipelines.promotion.packages import APPROVED, NONE, PENDING, PROMOTED, REJECTED

_STATUS = {APPROVED: "approved", PENDING: "waits for approval", REJECTED: "rejected"}


class VersionRow(TypedDict):
    """A line of the table."""

    version: int
    created: str | None
    day: str
    status: str
    live: bool
    was_live: bool
    waits: bool
    """Whether it waits for a person's approval."""
    promoted: bool
    backfilled: bool
    auc: float | None
    auc_low: float | None
    auc_high: float | None
    champion: int | None
    champion_auc: float | None
    """On the same test set."""
    difference: float | None
    cost_usd: float | None
    reasons: str


class VersionPoint(TypedDict):
    """A version in the plot. The names are short, because there are hundreds."""

    v: int
    d: str
    a: float | None
    l: float | None  # noqa: E741
    h: float | None
    c: float | None
    s: str


class VersionDetails(VersionRow):
    """Everything about one version."""

    rolled_back_by: str | None
    """The deploy run that rolled back from it."""
    made_from: dict[str, str]
    """Name → value, of what made it: data set, code, images, digests."""
    pages: NotRequired[dict[str, str]]
    """Name → address of its documents."""


def row(version: Version, live: LivePointer) -> VersionRow:
    """Returns the line of a version."""
    package, metadata = version.package, version.package.metadata
    auc, difference = number(metadata["auc"]), number(metadata["auc_difference"])
    champion = metadata["champion"]
    return {
        "version": package.version,
        "created": version.created.isoformat() if version.created else None,
        "day": metadata["day"],
        "status": _STATUS.get(package.status, package.status),
        "live": package.version == live["version"],
        "was_live": package.version in verified_versions(live),
        "waits": package.status == PENDING,
        "promoted": metadata["decision"] == PROMOTED,
        "backfilled": package.backfilled,
        "auc": auc,
        "auc_low": number(metadata["auc_low"]),
        "auc_high": number(metadata["auc_high"]),
        "champion": int(champion) if champion.isdecimal() else None,
        "champion_auc": None if auc is None or difference is None else round(auc - difference, 6),
        "difference": difference,
        "cost_usd": number(metadata["cost_usd"]),
        "reasons": package.description,
    }


def point(version: Version, live: LivePointer) -> VersionPoint:
    """Returns a version's place in the plot."""
    shown = row(version, live)
    state = "live" if shown["live"] else shown["status"].split(" ", maxsplit=1)[0]
    return {
        "v": shown["version"],
        "d": shown["day"],
        "a": shown["auc"],
        "l": shown["auc_low"],
        "h": shown["auc_high"],
        "c": shown["champion_auc"],
        "s": state,
    }


def details(version: Version, live: LivePointer) -> VersionDetails:
    """Returns everything about a version but the addresses of its documents."""
    metadata = version.package.metadata
    return {
        **row(version, live),
        "rolled_back_by": live["rolled_back"].get(str(version.number)),
        "made_from": {
            "data set": metadata["dataset_version"],
            "data up to": _cutoff(version),
            "code": metadata["code_sha"],
            "training image": metadata["image"],
            "feature code": metadata["feature_code_hash"],
            "bundle": metadata["bundle_digest"],
        },
    }


def number(text: str) -> float | None:
    """Reads a number of the metadata; None for one that could not be computed, or is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def card_uri(version: Version) -> str | None:
    """The URI of the version's model card; None where it has none."""
    uri = cast("Mapping[str, Any]", version.package.metadata).get("card_uri", NONE)
    return None if uri == NONE else str(uri)


def _cutoff(version: Version) -> str:
    try:
        return format_instant(version.package.cutoff)
    except (ValueError, NightjarError):
        return version.package.metadata["data_cutoff"]
