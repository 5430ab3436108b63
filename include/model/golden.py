"""Golden rows: requests with the probability that the training container computed through the serving path.

The service scores them before it calls itself ready. They are chosen deterministically: a spread of ordinary rows, the rows
with extreme and with nearly undecided probabilities, and rows with missing values and unknown categories.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from include.model.request import RequestSchema
from include.model.score import ScoreError, Scorer

TOLERANCE = 1e-6
SPREAD_ROWS = 20
UNKNOWN = "nightjar-unknown"


class GoldenRow(BaseModel):
    """One line of ``golden.jsonl``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    request: dict[str, Any]
    probability: float = Field(ge=0, le=1)
    prediction: int = Field(ge=0, le=1)


class GoldenResult(BaseModel):
    """What scoring the golden rows again gave. ``reason`` is set when ``ok`` is false."""

    model_config = ConfigDict(frozen=True)
    rows: int
    max_difference: float
    ok: bool
    reason: str | None = None


def choose(records: Sequence[Mapping[str, Any]], schema: RequestSchema, scorer: Scorer) -> list[GoldenRow]:
    """Golden rows from ``records`` (the caller passes only valid ones, in a stable order)."""
    probabilities = scorer.probabilities(records)
    by_hash = sorted(range(len(records)), key=lambda i: hashlib.sha256(_canonical(records[i])).digest())
    nearest = np.argsort(np.abs(probabilities - scorer.threshold), kind="stable")[:2]
    missing = [i for i in by_hash if any(value is None for value in records[i].values())][:2]
    chosen = [
        *by_hash[:SPREAD_ROWS],
        int(probabilities.argmin()),
        int(probabilities.argmax()),
        *map(int, nearest),
        *missing,
    ]
    requests = [dict(records[i]) for i in dict.fromkeys(chosen)]
    requests += _scorable(_variants(requests[0], schema), schema, scorer)
    while 0 < len(requests) < SPREAD_ROWS:
        requests.append(dict(requests[len(requests) % len(records)]))
    return _scored(requests, scorer)


def rescore(rows: Sequence[GoldenRow], schema: RequestSchema, scorer: Scorer) -> GoldenResult:
    """Validates and scores every golden row again; equal within :data:`TOLERANCE` and with the same prediction is ok."""
    checked = [schema.check(row.request) for row in rows]
    for number, result in enumerate(checked, start=1):
        if result.errors:
            field, message = result.errors[0]
            return _failed(rows, f"golden row {number} is no valid request: {field}: {message}")
    try:
        again = _scored([result.record for result in checked], scorer)
    except ScoreError as error:
        return _failed(rows, f"golden row {error.index + 1} cannot be scored: {error}")
    largest = max(abs(new.probability - old.probability) for new, old in zip(again, rows, strict=True))
    for number, (new, old) in enumerate(zip(again, rows, strict=True), start=1):
        if abs(new.probability - old.probability) > TOLERANCE or new.prediction != old.prediction:
            reason = f"golden row {number} scores {new.probability!r}, in training it scored {old.probability!r}"
            return GoldenResult(rows=len(rows), max_difference=largest, ok=False, reason=reason)
    return GoldenResult(rows=len(rows), max_difference=largest, ok=True)


def to_lines(rows: Sequence[GoldenRow]) -> bytes:
    """``golden.jsonl``."""
    return b"".join(_canonical(row.model_dump()) + b"\n" for row in rows)


def _scored(requests: Sequence[dict[str, Any]], scorer: Scorer) -> list[GoldenRow]:
    probabilities = scorer.probabilities(requests).tolist()
    return [
        GoldenRow(request=request, probability=value, prediction=scorer.prediction(value))
        for request, value in zip(requests, probabilities, strict=True)
    ]


def _failed(rows: Sequence[GoldenRow], reason: str) -> GoldenResult:
    return GoldenResult(rows=len(rows), max_difference=1.0, ok=False, reason=reason)


def _variants(request: dict[str, Any], schema: RequestSchema) -> Iterator[dict[str, Any]]:
    """The same request with one field missing or unknown, for each field that may be."""
    for name, field in schema.fields.items():
        if field.nullable:
            yield request | {name: None}
        if field.type == "string":
            yield request | {name: UNKNOWN}


def _scorable(requests: Iterator[dict[str, Any]], schema: RequestSchema, scorer: Scorer) -> list[dict[str, Any]]:
    kept = []
    for request in requests:
        if schema.check(request).errors:
            continue
        try:
            scorer.row(request)
        except ScoreError:
            continue
        kept.append(request)
    return kept


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()
