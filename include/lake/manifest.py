"""The data set manifest, and the version that is its digest: equal rows known at an equal cut-off have an equal version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any

from include.lake.days import iso, parse_iso
from include.lake.fingerprint import digest

_OUTSIDE_VERSION = ("version", "location", "reference_inputs")


def dataset_manifest(
    *,
    workload: str,
    sql: str,
    cutoff: datetime,
    split_rule: Mapping[str, Mapping[str, str]],
    feature_code_hash: str,
    inputs: Iterable[Mapping[str, str]],
    reference_inputs: Iterable[Mapping[str, str]],
    splits: Mapping[str, Mapping[str, Any]],
    location: str,
) -> dict[str, Any]:
    """The manifest with its version.

    ``sql`` is the select, not the UNLOAD, whose location differs between runs. ``inputs`` are the stream's raw
    objects ({"key", "sha256", "known_from"}) that the days' partitions were made from; those in which nothing was known at the
    cut-off are left out, so a correction that came later changes nothing. ``reference_inputs`` ({"key", "sha256"}) are the
    tables' objects: said, but no part of the version, since a later snapshot tells of the same rows, and which of them were
    valid is in the joined rows and their digest. ``splits`` is :func:`split_summary`'s result. Raises ValueError when a split
    is missing.
    """
    missing = split_rule.keys() - splits.keys()
    if missing:
        raise ValueError(f"the data set of {workload} at {iso(cutoff)} has no rows in {', '.join(sorted(missing))}")
    known = {item["key"]: item["sha256"] for item in inputs if parse_iso(item["known_from"]) < cutoff}
    manifest = {
        "workload": workload,
        "sql": sql,
        "cutoff": iso(cutoff),
        "split_rule": {name: dict(bounds) for name, bounds in split_rule.items()},
        "feature_code_hash": feature_code_hash,
        "inputs": [{"key": key, "sha256": checksum} for key, checksum in sorted(known.items())],
        "reference_inputs": sorted(
            ({"key": item["key"], "sha256": item["sha256"]} for item in reference_inputs), key=itemgetter("key")
        ),
        "splits": {name: dict(summary) for name, summary in splits.items()},
        "location": location,
    }
    return {**manifest, "version": dataset_version(manifest)}


def dataset_version(manifest: Mapping[str, Any]) -> str:
    """sha256 (hex) of the canonical JSON of all but ``version``, ``location`` and ``reference_inputs``."""
    return digest({name: value for name, value in manifest.items() if name not in _OUTSIDE_VERSION})


def split_summary(
    rows: Iterable[Mapping[str, Any]], split_rule: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, Any]]:
    """The rows of ``include.sql.dataset_digest_query``, by column name, as a manifest's ``splits``.

    ``from`` and ``to`` are the split's bounds (``to`` is exclusive). Values may be text, as Athena's result files have them.
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
