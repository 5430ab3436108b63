"""Compares what the canary and the live version answered. Pure functions (ADR 47)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, TypedDict

from include.workloads.deploying import CanarySpec

# How probable so many failures may be at the rate that is allowed. While requests still come in, they are looked at
# again and again, so far less.
UNLIKELY, UNLIKELY_EARLY = 0.05, 1e-5
EARLIEST_REQUESTS = 30
LATENCY_SLACK_SECONDS = 0.005  # differences below this are noise of the network and of CloudWatch's percentiles
_KOLMOGOROV = 1.63  # for 1 %


@dataclass(frozen=True)
class Answered:
    """What the tasks of one target group answered while they were compared.

    Attributes:
        requests: How many requests they got.
        failed: How many were answered with 5xx, or by no task.
        p95_seconds: The 95th percentile of the latency; None without an answer.
        scores: How many predictions had a probability in each of the bins, which are of equal width.
    """

    requests: int
    failed: int
    p95_seconds: float | None
    scores: tuple[float, ...]


class Verdict(TypedDict):
    """What a comparison came to."""

    outcome: Literal["promote", "roll_back"]
    fault: bool
    """Whether the version is at fault, so that it is rejected."""
    reasons: list[str]


def early_verdict(live: Answered, canary: Answered, spec: CanarySpec) -> Verdict | None:
    """Looks before the time is over: only errors that are beyond doubt end the comparison at once."""
    if canary.requests < EARLIEST_REQUESTS:
        return None
    reason = _errors(live, canary, spec, UNLIKELY_EARLY)
    return {"outcome": "roll_back", "fault": True, "reasons": [reason]} if reason else None


def verdict(live: Answered, canary: Answered, spec: CanarySpec, *, same_model: bool) -> Verdict:
    """Decides when the time is over.

    Args:
        live: What the live version answered.
        canary: What the new version answered.
        spec: The workload's limits.
        same_model: Whether both have the same version, so that only the image differs: their scores are not told apart.
    """
    counted = f"{canary.requests} requests to the canary and {live.requests} to the live version"
    faults = [
        reason
        for reason in (
            _errors(live, canary, spec, UNLIKELY),
            _latency(live, canary, spec),
            None if same_model else _scores(live, canary, spec),
        )
        if reason
    ]
    enough = min(live.requests, canary.requests) >= spec.minimum_requests
    if faults and (enough or canary.requests >= EARLIEST_REQUESTS):
        return {"outcome": "roll_back", "fault": True, "reasons": [*faults, f"Compared on {counted}."]}
    if not enough:
        rule = "it is rolled back" if spec.too_few == "roll_back" else "it is promoted"
        text = f"Too little traffic for a comparison: {counted}, fewer than {spec.minimum_requests}."
        return {"outcome": spec.too_few, "fault": False, "reasons": [text, f"By the rule too_few, {rule}."]}
    shown = [f"Compared on {counted}:", f"{_rates(live, canary)};", f"{_latencies(live, canary)};"]
    last = "the model is the same." if same_model else _shift_text(live, canary)
    return {"outcome": "promote", "fault": False, "reasons": [" ".join([*shown, last])]}


def _errors(live: Answered, canary: Answered, spec: CanarySpec, unlikely: float) -> str | None:
    if not canary.requests or not live.requests:
        return None
    allowed = _share(live) + spec.error_margin
    if _share(canary) <= allowed or at_least(canary.failed, canary.requests, allowed) >= unlikely:
        return None
    return f"It fails more often: {_rates(live, canary)}; {spec.error_margin:.1%} more are allowed."


def at_least(failed: int, requests: int, rate: float) -> float:
    """Returns how probable it is that at least so many of the requests fail, if each fails at this rate (binomial)."""
    if not 0 < rate < 1:
        return float(rate >= 1 or not failed)
    fewer = (
        math.lgamma(requests + 1)
        - math.lgamma(number + 1)
        - math.lgamma(requests - number + 1)
        + number * math.log(rate)
        + (requests - number) * math.log1p(-rate)
        for number in range(failed)
    )
    return max(0.0, 1 - math.fsum(map(math.exp, fewer)))


def _latency(live: Answered, canary: Answered, spec: CanarySpec) -> str | None:
    if canary.p95_seconds is None or live.p95_seconds is None:
        return None
    if canary.p95_seconds <= live.p95_seconds * spec.latency_factor + LATENCY_SLACK_SECONDS:
        return None
    return f"It is slower: {_latencies(live, canary)}; {spec.latency_factor:g} times as much is allowed."


def _scores(live: Answered, canary: Answered, spec: CanarySpec) -> str | None:
    distance = shift(live.scores, canary.scores)
    if distance is None:
        return None
    numbers = sum(live.scores), sum(canary.scores)
    significant = _KOLMOGOROV * math.sqrt(sum(numbers) / math.prod(numbers))
    if distance <= max(spec.score_shift, significant):
        return None
    return f"It scores otherwise: {_shift_text(live, canary)} {spec.score_shift:g} is allowed."


def shift(live: tuple[float, ...], canary: tuple[float, ...]) -> float | None:
    """Returns the largest difference of the two cumulative distributions; None if one of them is empty."""
    if not sum(live) or not sum(canary):
        return None
    pairs = zip(accumulate(live), accumulate(canary), strict=True)
    return max(abs(one / sum(live) - other / sum(canary)) for one, other in pairs)


def _rates(live: Answered, canary: Answered) -> str:
    return (
        f"{canary.failed} of {canary.requests} requests failed ({_share(canary):.2%}), of the live version's "
        f"{live.failed} of {live.requests} ({_share(live):.2%})"
    )


def _share(answered: Answered) -> float:
    return answered.failed / answered.requests if answered.requests else 0.0


def _latencies(live: Answered, canary: Answered) -> str:
    return f"p95 {_milliseconds(canary)}, of the live version {_milliseconds(live)}"


def _milliseconds(answered: Answered) -> str:
    return "is not known" if answered.p95_seconds is None else f"{answered.p95_seconds * 1000:.1f} ms"


def _shift_text(live: Answered, canary: Answered) -> str:
    distance = shift(live.scores, canary.scores)
    return "no scores to compare." if distance is None else f"distance of the scores' distributions {distance:.3f}."
