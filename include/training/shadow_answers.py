"""What two versions answer to the same requests, and how their answers differ."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from include.model.bundle import Bundle
from include.model.errors import ScoreError
from include.model.shadow import SCORE_BINS, Changed, Control, Differences, Latency, Problems
from include.model.tolerances import PROBABILITY_TOLERANCE
from include.training.shadow_requests import LoggedRequest

REASONS = 5
_REASON_CHARACTERS = 200


class Answer(NamedTuple):
    """What a version answers to one request: a probability, or why there is none.

    Attributes:
        probability: None where it does not answer.
        prediction: The label at its threshold.
        seconds: How long it took.
        refused: Why the request is not valid for it.
        failed: Why it cannot score the request.
    """

    probability: float | None = None
    prediction: int = 0
    seconds: float = 0.0
    refused: str = ""
    failed: str = ""


class Pair(NamedTuple):
    """A request with both versions' answers; that of the live version is the one from this job."""

    request: LoggedRequest
    live: Answer
    candidate: Answer


def answer_all(live: Bundle, candidate: Bundle, requests: Sequence[LoggedRequest]) -> list[Pair]:
    """Asks both versions; which one is first alternates, so that neither of them always gets the warm caches."""
    pairs = []
    for number, request in enumerate(requests):
        if number % 2:
            new = answer(candidate, request)
            pairs.append(Pair(request, answer(live, request), new))
        else:
            pairs.append(Pair(request, answer(live, request), answer(candidate, request)))
    return pairs


def answer(version: Bundle, request: LoggedRequest) -> Answer:
    """Validates and scores one request, as the service does."""
    started = time.perf_counter()
    checked = version.schema.check(request.record)
    if checked.errors:
        field, message = checked.errors[0]
        return Answer(refused=f"{field} {message}".strip()[:_REASON_CHARACTERS])
    try:
        probability = float(version.model.one(version.scorer.row(checked.record)))
    except ScoreError as error:
        return Answer(failed=str(error)[:_REASON_CHARACTERS])
    except Exception as error:  # the service would answer 500
        return Answer(failed=f"{type(error).__name__}: {error}"[:_REASON_CHARACTERS])
    seconds = time.perf_counter() - started
    if not np.isfinite(probability):
        return Answer(failed="the model's probability is not a number")
    return Answer(probability, version.scorer.prediction(probability), seconds)


def refused(pairs: Sequence[Pair]) -> Problems:
    """Counts the requests that the candidate refuses."""
    return _problems([pair.candidate.refused for pair in pairs])


def failed(pairs: Sequence[Pair]) -> Problems:
    """Counts the requests that the candidate cannot score."""
    return _problems([pair.candidate.failed for pair in pairs])


def differences(pairs: Sequence[Pair]) -> Differences | None:
    """Compares the candidate's probabilities with those that callers got."""
    found = np.array(
        [
            pair.candidate.probability - pair.request.probability
            for pair in pairs
            if pair.candidate.probability is not None
        ]
    )
    if not found.size:
        return None
    absolute = np.abs(found)
    return {
        "mean": float(found.mean()),
        "absolute": float(absolute.mean()),
        "p95": float(np.percentile(absolute, 95)),
        "largest": float(absolute.max()),
    }


def changed(pairs: Sequence[Pair]) -> Changed:
    """Counts the requests that the candidate gives another label."""
    labels = Counter(
        (pair.request.prediction, pair.candidate.prediction) for pair in pairs if pair.candidate.probability is not None
    )
    return {"to_1": labels[0, 1], "to_0": labels[1, 0]}


def scores(pairs: Sequence[Pair]) -> dict[str, list[int]]:
    """The distributions of both probabilities, of the requests that the candidate answers."""
    found = [
        (pair.request.probability, pair.candidate.probability)
        for pair in pairs
        if pair.candidate.probability is not None
    ]
    return {
        name: np.histogram([pair[side] for pair in found], bins=SCORE_BINS, range=(0, 1))[0].tolist()
        for side, name in enumerate(("live", "candidate"))
    }


def latencies(pairs: Sequence[Pair]) -> dict[str, Latency] | None:
    """The times of both versions, of the requests that both answer."""
    both = [pair for pair in pairs if pair.live.probability is not None and pair.candidate.probability is not None]
    if not both:
        return None
    return {
        "live": _latency([pair.live.seconds for pair in both]),
        "candidate": _latency([pair.candidate.seconds for pair in both]),
    }


def control(pairs: Sequence[Pair]) -> Control:
    """Compares what the live version answers here with what it answered to callers."""
    found = [
        float("inf") if pair.live.probability is None else abs(pair.live.probability - pair.request.probability)
        for pair in pairs
    ]
    finite = [difference for difference in found if np.isfinite(difference)]
    return {
        "requests": len(found),
        "differing": sum(difference > PROBABILITY_TOLERANCE for difference in found),
        "largest": max(finite, default=0.0),
    }


def _problems(texts: Sequence[str]) -> Problems:
    found = Counter(filter(None, texts))
    return {"requests": found.total(), "reasons": dict(found.most_common(REASONS))}


def _latency(seconds: Sequence[float]) -> Latency:
    median, p95 = np.percentile(seconds, [50, 95]) * 1e6
    return {"median": float(median), "p95": float(p95)}
