"""The manifest of a data set, and the version of the data set, which is the manifest's digest.

Equal rows that were known at an equal cut-off give an equal version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypedDict

from include.errors import NightjarError
from include.lake.fingerprint import RawObject, digest, raw_objects
from include.lake.instants import format_instant, parse_instant

_OUTSIDE_VERSION = ("version", "location", "reference_inputs", "missing_days")


class EmptySplitError(NightjarError, ValueError):
    """A split of the data set has no rows."""


class KnownObject(RawObject):
    """A raw object, with the earliest time at which anything in it was known; empty: the object does not say."""

    known_from: str


# ``from`` is a keyword, so these two are not written as classes. ``to`` is exclusive.
SplitBounds = TypedDict("SplitBounds", {"from": str, "to": str})
SplitSummary = TypedDict("SplitSummary", {"rows": int, "positives": int, "digest": str, "from": str, "to": str})


class DatasetManifest(TypedDict):
    """``datasets/<workload>/<version>.json`` (docs/contracts.md, "Data set")."""

    workload: str
    sql: str
    cutoff: str
    split_rule: dict[str, SplitBounds]
    feature_code_hash: str
    inputs: list[RawObject]
    reference_inputs: list[RawObject]
    initial_loads: dict[str, str]
    missing_days: dict[str, str]
    splits: dict[str, SplitSummary]
    location: str
    version: str


def dataset_manifest(
    *,
    workload: str,
    sql: str,
    cutoff: datetime,
    split_rule: Mapping[str, SplitBounds],
    feature_code_hash: str,
    inputs: Iterable[KnownObject],
    reference_inputs: Iterable[KnownObject],
    initial_loads: Mapping[str, date],
    missing_days: Mapping[str, str],
    splits: Mapping[str, SplitSummary],
    location: str,
) -> DatasetManifest:
    """Makes the manifest of a data set, with its version.

    Args:
        workload: Name of the workload.
        sql: The select, not the UNLOAD: the UNLOAD contains the location, which differs between runs.
        cutoff: The cut-off.
        split_rule: The bounds of each split.
        feature_code_hash: sha256 of features.py.
        inputs: The stream's raw objects with events of the data set's days. Objects in which nothing was known at the
            cut-off are left out, so a later correction or duplicate changes nothing.
        reference_inputs: The tables' raw objects; those in which nothing was known at the cut-off are left out too.
            They are recorded, but are not part of the version hash: the rows that were joined are in the splits'
            digests.
        initial_loads: Table → day of its declared initial load: rows that were loaded by then count as known from when
            they are valid, so they are in the data set even if they were loaded after the cut-off.
        missing_days: Day of the window that is left out → why. The select names the days, so they are in the version
            hash; the reasons are not.
        splits: What :func:`split_summary` returns.
        location: URI of the data set's files.

    Raises:
        EmptySplitError: A split has no rows.
    """
    missing = split_rule.keys() - splits.keys()
    if missing:
        raise EmptySplitError(
            f"the data set of {workload} at {format_instant(cutoff)} has no rows in {', '.join(sorted(missing))}"
        )
    manifest: DatasetManifest = {
        "workload": workload,
        "sql": sql,
        "cutoff": format_instant(cutoff),
        "split_rule": {name: {"from": bounds["from"], "to": bounds["to"]} for name, bounds in split_rule.items()},
        "feature_code_hash": feature_code_hash,
        "inputs": _known(inputs, cutoff),
        "reference_inputs": _known(reference_inputs, cutoff),
        "initial_loads": {table: day.isoformat() for table, day in sorted(initial_loads.items())},
        "missing_days": dict(missing_days),
        "splits": dict(splits),
        "location": location,
        "version": "",
    }
    return {**manifest, "version": dataset_version(manifest)}


def _known(objects: Iterable[KnownObject], cutoff: datetime) -> list[RawObject]:
    """The objects in which anything was known before the cut-off, sorted by key."""
    return raw_objects(
        {
            item["key"]: item["sha256"]
            for item in objects
            if not item["known_from"] or parse_instant(item["known_from"]) < cutoff
        }
    )


def dataset_version(manifest: Mapping[str, Any]) -> str:
    """Returns the sha256 of the canonical JSON of everything but the members in ``_OUTSIDE_VERSION``."""
    return digest({name: value for name, value in manifest.items() if name not in _OUTSIDE_VERSION})


def split_summary(rows: Iterable[Mapping[str, Any]], split_rule: Mapping[str, SplitBounds]) -> dict[str, SplitSummary]:
    """Converts the rows of ``include.sql.dataset_digest`` to the ``splits`` of a manifest.

    Args:
        rows: One row per split, by column name. Values may be text, as in Athena's result files.
        split_rule: The bounds of each split.
    """
    return {
        row["split"]: {
            "rows": int(row["row_count"]),
            "positives": int(row["positives"]),
            "digest": str(row["digest"]),
            **split_rule[row["split"]],
        }
        for row in rows
    }
