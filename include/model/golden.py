"""Golden rows: requests with the probability that the training container computed through the serving code.

The service scores them again before it reports ready. They are chosen deterministically: a spread of ordinary rows, the
rows with the lowest and the highest probability and those nearest to the threshold, rows with missing values and
unknown categories, and, if a request may give the features in their place, the features of some.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from include.model.errors import BundleError, ScoreError
from include.model.files import GOLDEN
from include.model.request import RequestSchema
from include.model.score import Scorer
from include.model.tolerances import PROBABILITY_TOLERANCE

MINIMUM_GOLDEN_ROWS = 20
SPREAD_ROWS = 20
FEATURE_ROWS = 5
# A category that no training row has.
UNKNOWN = "nightjar-unknown"


class GoldenRow(BaseModel):
    """One line of ``golden.jsonl``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    request: dict[str, Any]
    probability: float = Field(ge=0, le=1)
    prediction: int = Field(ge=0, le=1)


class GoldenResult(BaseModel):
    """Result of scoring the golden rows again.

    Attributes:
        rows: Number of golden rows.
        max_difference: Largest difference of a probability; 1 when the rows could not be scored.
        ok: Whether all rows score as in training.
        reason: The first row that does not. Present only when ``ok`` is false.
    """

    model_config = ConfigDict(frozen=True)
    rows: int
    max_difference: float
    ok: bool
    reason: str | None = None


def choose(records: Sequence[Mapping[str, Any]], schema: RequestSchema, scorer: Scorer) -> list[GoldenRow]:
    """Chooses golden rows and scores them.

    Args:
        records: Valid request records, in a stable order; at least one.
        schema: Schema of the request record.
        scorer: The model behind its feature code.

    Returns:
        At least :data:`MINIMUM_GOLDEN_ROWS` rows; few records are repeated.

    Raises:
        ScoreError: A record cannot be scored.
    """
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
    requests += _scorable([*_variants(requests[0], schema), *_given_features(requests, schema, scorer)], schema, scorer)
    while 0 < len(requests) < MINIMUM_GOLDEN_ROWS:
        requests.append(dict(requests[len(requests) % len(records)]))
    return _score(requests, scorer)


def rescore(rows: Sequence[GoldenRow], schema: RequestSchema, scorer: Scorer) -> GoldenResult:
    """Validates and scores every golden row again.

    A row scores as in training when its probability differs by at most :data:`PROBABILITY_TOLERANCE` and its prediction
    is the same.
    """
    checked = [schema.check(row.request) for row in rows]
    for number, result in enumerate(checked, start=1):
        if result.errors:
            field, message = result.errors[0]
            return _failure(rows, f"golden row {number} is not a valid request: {field}: {message}")
    try:
        again = _score([result.record for result in checked], scorer)
    except ScoreError as error:
        return _failure(rows, f"golden row {error.index + 1} cannot be scored: {error}")
    largest = max(abs(new.probability - old.probability) for new, old in zip(again, rows, strict=True))
    for number, (new, old) in enumerate(zip(again, rows, strict=True), start=1):
        if abs(new.probability - old.probability) > PROBABILITY_TOLERANCE or new.prediction != old.prediction:
            reason = f"golden row {number} scores {new.probability!r}, in training it scored {old.probability!r}"
            return GoldenResult(rows=len(rows), max_difference=largest, ok=False, reason=reason)
    return GoldenResult(rows=len(rows), max_difference=largest, ok=True)


def format_lines(rows: Iterable[GoldenRow]) -> bytes:
    """Formats ``golden.jsonl``."""
    return b"".join(_canonical(row.model_dump()) + b"\n" for row in rows)


def parse_lines(data: bytes) -> list[GoldenRow]:
    """Parses ``golden.jsonl``.

    Raises:
        BundleError: A line is wrong, or there are fewer than :data:`MINIMUM_GOLDEN_ROWS`.
    """
    try:
        rows = [GoldenRow.model_validate_json(line) for line in data.splitlines()]
    except ValidationError as error:
        raise BundleError(f"{GOLDEN} is wrong: {error.errors()[0]['msg']}") from None
    if len(rows) < MINIMUM_GOLDEN_ROWS:
        raise BundleError(
            f"{GOLDEN} has {len(rows)} rows; at least {MINIMUM_GOLDEN_ROWS} are needed to verify a bundle"
        )
    return rows


def _score(requests: Sequence[dict[str, Any]], scorer: Scorer) -> list[GoldenRow]:
    probabilities = scorer.probabilities(requests).tolist()
    return [
        GoldenRow(request=request, probability=value, prediction=scorer.prediction(value))
        for request, value in zip(requests, probabilities, strict=True)
    ]


def _failure(rows: Sequence[GoldenRow], reason: str) -> GoldenResult:
    return GoldenResult(rows=len(rows), max_difference=1.0, ok=False, reason=reason)


def _variants(request: dict[str, Any], schema: RequestSchema) -> Iterator[dict[str, Any]]:
    """The same request with one field missing or unknown, for each field that may be."""
    for name, field in schema.fields.items():
        if field.nullable:
            yield request | {name: None}
        if field.type == "string":
            yield request | {name: UNKNOWN}


def _given_features(
    requests: Sequence[dict[str, Any]], schema: RequestSchema, scorer: Scorer
) -> Iterator[dict[str, Any]]:
    """The features of the first requests, as requests of their own."""
    if schema.features:
        for request in requests[:FEATURE_ROWS]:
            yield dict(scorer.features(request))


def _scorable(requests: Iterable[dict[str, Any]], schema: RequestSchema, scorer: Scorer) -> list[dict[str, Any]]:
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
    # Not include.lake.fingerprint.canonical_json: golden.jsonl is ASCII, and its bytes are part of the bundle digest.
    return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()
