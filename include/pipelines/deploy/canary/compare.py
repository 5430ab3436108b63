"""Compares what the canary and the live version answered. Pure functions (ADR 47, ADR 74)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple, TypedDict

from include.pipelines.deploy.canary.chance import at_least, at_least_of_both
from include.workloads.deploying import CanarySpec

# Below this probability, chance is not what made so many requests fail, or slow. While requests still come in, they are
# looked at again and again, so far below.
UNLIKELY, UNLIKELY_EARLY = 0.05, 1e-5
EARLIEST_REQUESTS = 30
LATENCY_SLACK_SECONDS = 0.005  # differences below this are noise of the network and of CloudWatch's percentiles
SLOW_SHARE = 0.05  # of the requests take longer than the p95
_KOLMOGOROV = 1.63  # for 1 %


class Slow(NamedTuple):
    """How many answers took longer than :func:`latency_limit`."""

    answers: int
    of: int


@dataclass(frozen=True)
class Answered:
    """What the tasks of one target group answered while they were compared.

    Attributes:
        requests: How many requests they got.
        failed: How many were answered with 5xx, or by no task.
        p95_seconds: The 95th percentile of the latency, the mean of the minutes; None without an answer.
        scores: How many predictions had a probability in each of the bins, which are of equal width.
        slow: How many answers were slow; None where they are not counted, or not of every minute.
        middle_p95_seconds: The median of the minutes' 95th percentiles; None where only their mean is known.
    """

    requests: int
    failed: int
    p95_seconds: float | None
    scores: tuple[float, ...]
    slow: Slow | None = None
    middle_p95_seconds: float | None = None


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
    return {
        "outcome": "promote",
        "fault": False,
        "reasons": [" ".join([*shown, last, _slow_text(live, canary, spec)]).rstrip()],
    }


def _errors(live: Answered, canary: Answered, spec: CanarySpec, unlikely: float) -> str | None:
    if not canary.requests or not live.requests:
        return None
    allowed = _share(live) + spec.error_margin
    if _share(canary) <= allowed:
        return None
    counts = canary.failed, canary.requests
    if at_least(*counts, allowed) >= unlikely:
        return None
    # The live version's rate is itself known from its requests only. Of a few, though, this says little, and what the
    # canary fails must then do alone: it is all that stops it where the rule for too few is to promote.
    enough = min(live.requests, canary.requests) >= spec.minimum_requests
    if enough and at_least_of_both(*counts, live.failed, live.requests) >= unlikely:
        return None
    return f"It fails more often: {_rates(live, canary)}; {spec.error_margin:.1%} more are allowed."


def latency_limit(live: Answered, spec: CanarySpec) -> float | None:
    """Returns above how many seconds an answer is slow; None where the live version has answered nothing.

    Where about a twentieth of its answers is slow, the p95 of a minute is now a quick answer's time and now a slow
    one's. Their mean is neither, and lets answers pass that are several times as slow as the quick ones; the median of
    the minutes is one of the two. If that is the slow one's, the mean still tells the slow answers. So the lower one.
    """
    known = [p95 for p95 in (live.middle_p95_seconds, live.p95_seconds) if p95 is not None]
    return _limit(min(known), spec) if known else None


def _limit(p95_seconds: float, spec: CanarySpec) -> float:
    return p95_seconds * spec.latency_factor + LATENCY_SLACK_SECONDS


def _latency(live: Answered, canary: Answered, spec: CanarySpec) -> str | None:
    if not _too_slow(live, canary, spec):
        return None
    text = f"It is slower: {_latencies(live, canary)}; {spec.latency_factor:g} times as much is allowed."
    return f"{text} {_slow_text(live, canary, spec)}".rstrip()


def _too_slow(live: Answered, canary: Answered, spec: CanarySpec) -> bool:
    """Whether more than a twentieth of the canary's answers is slow, and not by chance.

    Where they are not known, the p95s as CloudWatch gave them count.
    """
    if canary.slow is not None and live.slow is not None:
        more_than_allowed = canary.slow.answers > SLOW_SHARE * canary.slow.of
        return more_than_allowed and at_least_of_both(*canary.slow, *live.slow) < UNLIKELY
    if canary.p95_seconds is None or live.p95_seconds is None:
        return False
    return canary.p95_seconds > _limit(live.p95_seconds, spec)


def _slow_text(live: Answered, canary: Answered, spec: CanarySpec) -> str:
    limit = latency_limit(live, spec)
    if limit is None or canary.slow is None or live.slow is None:
        return ""
    return (
        f"{canary.slow.answers} of {canary.slow.of} answers took more than {limit * 1000:.1f} ms "
        f"({canary.slow.answers / canary.slow.of:.2%}; {SLOW_SHARE:.0%} are allowed), of the live version's "
        f"{live.slow.answers} of {live.slow.of} ({live.slow.answers / live.slow.of:.2%}): by chance with a probability "
        f"of {at_least_of_both(*canary.slow, *live.slow):.2g} (slower below {UNLIKELY:g})."
    )


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
