"""Digests that identify things by their content: inputs, job submits, data sets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, TypedDict

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class RawObject(TypedDict):
    """An object in the raw bucket, with the SHA-256 that S3 computed (base64)."""

    key: str
    sha256: str


class InputsDocument(TypedDict):
    """``inputs.json``: the raw objects that one transform run reads, in one order."""

    workload: str
    days: list[str]
    bucket: str
    stream_objects: list[RawObject]
    table_objects: dict[str, list[RawObject]]


def canonical_json(value: Any) -> bytes:
    """Encodes a JSON value in its one canonical form: sorted keys, no white space, UTF-8.

    Raises:
        TypeError: The value contains something that JSON has no form for.
        ValueError: The value contains NaN or an infinity.
    """
    return canonical_text(value).encode()


def canonical_text(value: Any) -> str:
    """Encodes a JSON value as :func:`canonical_json` does, as text."""
    return _ENCODER.encode(value)


def digest(value: Any) -> str:
    """Returns the sha256 of the canonical JSON, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def submit_key(**parts: Any) -> str:
    """Returns the 20 hex digits that identify one remote job (docs/contracts.md, "Submit keys").

    Args:
        parts: Everything that decides the job's result.
    """
    return digest(parts)[:20]


def inputs_document(
    workload: str,
    days: Iterable[date],
    stream_objects: Mapping[str, str],
    table_objects: Mapping[str, Mapping[str, str]],
    bucket: str,
) -> InputsDocument:
    """Lists the raw objects that a transform run reads.

    Args:
        workload: Name of the workload.
        days: The days that the run makes.
        stream_objects: Key → SHA-256 of each object of the stream.
        table_objects: The same for each reference table.
        bucket: The raw bucket.
    """
    return {
        "workload": workload,
        "days": sorted({day.isoformat() for day in days}),
        "bucket": bucket,
        "stream_objects": raw_objects(stream_objects),
        "table_objects": {table: raw_objects(objects) for table, objects in sorted(table_objects.items())},
    }


def day_fingerprint(document: InputsDocument, code: str) -> str:
    """Returns what a published day must still be equal to in order to be valid, as 64 hex digits.

    Args:
        document: The inputs of this day alone.
        code: Hash of everything else that its transform and audit use: code, libraries, the workload's declaration.
    """
    return digest({"inputs": document, "code": code})


def raw_objects(checksums: Mapping[str, str]) -> list[RawObject]:
    """Lists objects (key → SHA-256), sorted by key."""
    return [{"key": key, "sha256": checksum} for key, checksum in sorted(checksums.items())]
