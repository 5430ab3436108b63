"""Digests that name things by what they are made of: inputs, submits, data sets. Pure functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any


def canonical_json(value: Any) -> bytes:
    """One spelling of a JSON value: sorted keys, no blanks, UTF-8. Raises TypeError or ValueError for what JSON cannot say
    (NaN).
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: Any) -> str:
    """sha256 (64 hex digits) of the canonical JSON."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def submit_key(**parts: Any) -> str:
    """20 hex digits that name one remote job by everything that decides its result (see docs/architecture.md, "Submit keys")."""
    return digest(parts)[:20]


def inputs_document(
    workload: str,
    days: Iterable[date],
    stream_objects: Mapping[str, str],
    table_objects: Mapping[str, Mapping[str, str]],
    bucket: str,
) -> dict[str, Any]:
    """The list of raw objects that a transform reads, in one order; ``digest`` of it is the inputs fingerprint.

    ``stream_objects`` maps an object's key to its SHA-256 checksum (as S3 gives it, base64); ``table_objects`` the same for
    each table.
    """
    return {
        "workload": workload,
        "days": sorted({day.isoformat() for day in days}),
        "bucket": bucket,
        "stream_objects": _listed(stream_objects),
        "table_objects": {table: _listed(objects) for table, objects in sorted(table_objects.items())},
    }


def _listed(objects: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "sha256": checksum} for key, checksum in sorted(objects.items())]
