"""The data set manifest, and the version that is its digest: equal rows known at an equal cut-off have an equal version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from include.lake.days import iso, utc_date
from include.lake.fingerprint import digest

_OUTSIDE_VERSION = ("version", "location")
_INGEST_DATE = re.compile(r"/ingest_date=(\d{4}-\d{2}-\d{2})/")


def dataset_manifest(
    *,
    workload: str,
    sql: str,
    cutoff: datetime,
    split_rule: Mapping[str, Mapping[str, str]],
    feature_code_hash: str,
    inputs: Iterable[Mapping[str, str]],
    splits: Mapping[str, Mapping[str, Any]],
    location: str,
) -> dict[str, Any]:
    """The manifest with its version.

    ``sql`` is the select, not the UNLOAD, whose location differs between runs. ``inputs`` are the raw objects ({"key",
    "sha256"}) that the days' partitions were made from; those ingested after the cut-off are left out, since nothing in them
    was known then. ``splits`` is :func:`split_summary`'s result. Raises ValueError when a split is missing.
    """
    missing = split_rule.keys() - splits.keys()
    if missing:
        raise ValueError(f"the data set of {workload} at {iso(cutoff)} has no rows in {', '.join(sorted(missing))}")
    known = {item["key"]: item["sha256"] for item in inputs if _known(item["key"], utc_date(cutoff))}
    manifest = {
        "workload": workload,
        "sql": sql,
        "cutoff": iso(cutoff),
        "split_rule": {name: dict(bounds) for name, bounds in split_rule.items()},
        "feature_code_hash": feature_code_hash,
        "inputs": [{"key": key, "sha256": checksum} for key, checksum in sorted(known.items())],
        "splits": {name: dict(summary) for name, summary in splits.items()},
        "location": location,
    }
    return {**manifest, "version": dataset_version(manifest)}


def dataset_version(manifest: Mapping[str, Any]) -> str:
    """sha256 (hex) of the canonical JSON of all but ``version`` and ``location``."""
    return digest({name: value for name, value in manifest.items() if name not in _OUTSIDE_VERSION})


def split_summary(rows: Iterable[Mapping[str, Any]], split_rule: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
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


def _known(key: str, cutoff: date) -> bool:
    """Whether a raw object was ingested before the day of the cut-off. A key that does not say is kept."""
    found = _INGEST_DATE.search(key)
    return found is None or date.fromisoformat(found.group(1)) < cutoff
