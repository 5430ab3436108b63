"""Reads what the two target groups answered, from CloudWatch: the same metrics on AWS and on a laptop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from include.pipelines.deploy.canary.compare import Answered, Slow
from include.pipelines.deploy.canary.hooks import CanaryHooks, Query

BALANCER, SERVICE = "AWS/ApplicationELB", "Nightjar/Serving"
FAILED = ("HTTPCode_Target_5XX_Count", "TargetConnectionErrorCount")
SCORE_BINS = 10
# A task writes its scores once a minute, and once at its end.
SCORES_LATE = timedelta(minutes=1)

Series = Mapping[datetime, float]


def read_answered(
    hooks: CanaryHooks, workload: str, versions: tuple[int, int], start: datetime, end: datetime, *, whole: bool
) -> tuple[Answered, Answered]:
    """Returns what the live version and the canary answered.

    Args:
        hooks: The canary's AWS hooks.
        workload: The workload.
        versions: The live version and the canary's.
        start: The first minute.
        end: The end of the last one.
        whole: Whether latencies and scores are read too; without, only requests and failures.
    """
    queries: dict[str, Query] = {}
    for number, dimensions in enumerate(hooks.weights.dimensions()):
        queries |= _counts(f"g{number}", dimensions)
        if whole:
            queries |= _latency(f"g{number}", dimensions)
    read = dict(hooks.metrics.minutes(queries, start, end))
    if whole:
        scores = {
            name: query
            for number, version in enumerate(versions)
            for name, query in _scores(f"g{number}", workload, version).items()
        }
        read |= hooks.metrics.minutes(scores, start, end + SCORES_LATE)
    return _answered("g0", read), _answered("g1", read)


def with_slow(
    hooks: CanaryHooks, answered: tuple[Answered, Answered], limit: float, start: datetime, end: datetime
) -> tuple[Answered, Answered]:
    """Returns what the live version and the canary answered, with the number of answers that took longer.

    Args:
        hooks: The canary's AWS hooks.
        answered: What they answered.
        limit: The seconds above which an answer is slow.
        start: The first minute.
        end: The end of the last one.
    """
    queries: dict[str, Query] = {}
    for number, dimensions in enumerate(hooks.weights.dimensions()):
        of: Query = (BALANCER, "TargetResponseTime", dimensions, "SampleCount")
        queries |= {f"g{number}_answers": of, f"g{number}_above": (*of[:3], f"PR({limit:.6f}:)")}
    read = hooks.metrics.minutes(queries, start, end)
    live, canary = (replace(one, slow=_slow(f"g{number}", read)) for number, one in enumerate(answered))
    return live, canary


def _counts(prefix: str, dimensions: Mapping[str, str]) -> dict[str, Query]:
    names = ("RequestCount", *FAILED)
    return {f"{prefix}_{number}": (BALANCER, name, dimensions, "Sum") for number, name in enumerate(names)}


def _latency(prefix: str, dimensions: Mapping[str, str]) -> dict[str, Query]:
    return {
        f"{prefix}_p95": (BALANCER, "TargetResponseTime", dimensions, "p95"),
        f"{prefix}_answers": (BALANCER, "TargetResponseTime", dimensions, "SampleCount"),
    }


def _scores(prefix: str, workload: str, version: int) -> dict[str, Query]:
    """The number of scores, and how many percent of them are in each bin."""
    dimensions = {"Workload": workload, "ModelVersion": str(version)}
    edges = [number / SCORE_BINS for number in range(SCORE_BINS + 1)]
    ranks = [f"PR({low:g}:{high:g})" for low, high in pairwise(edges)]
    queries: dict[str, Query] = {f"{prefix}_scores": (SERVICE, "Score", dimensions, "SampleCount")}
    return queries | {
        f"{prefix}_bin{number}": (SERVICE, "Score", dimensions, rank) for number, rank in enumerate(ranks)
    }


def _answered(prefix: str, read: Mapping[str, Series]) -> Answered:
    requests, *failed = (int(sum(read.get(f"{prefix}_{number}", {}).values())) for number in range(1 + len(FAILED)))
    p95s = _weights(read.get(f"{prefix}_p95", {}), read.get(f"{prefix}_answers", {}))
    return Answered(
        requests=requests,
        # One request may take several connections, none of which succeeds.
        failed=min(sum(failed), requests),
        p95_seconds=_mean(p95s),
        middle_p95_seconds=_median(p95s),
        scores=tuple(
            _total(read.get(f"{prefix}_bin{number}", {}), read.get(f"{prefix}_scores", {}))
            for number in range(SCORE_BINS)
        ),
    )


def _slow(prefix: str, read: Mapping[str, Series]) -> Slow | None:
    """Of each minute CloudWatch has how many percent are above the limit: unlike percentiles, counts add up.

    None where it has not of every minute with an answer: the slow ones may be in the others.
    """
    percents, numbers = read.get(f"{prefix}_above", {}), read.get(f"{prefix}_answers", {})
    answered = {minute: number for minute, number in numbers.items() if number}
    if not answered or not answered.keys() <= percents.keys():
        return None
    return Slow(round(_total(percents, answered)), round(sum(answered.values())))


def _weights(values: Series, numbers: Series) -> list[tuple[float, float]]:
    """The minutes' values, each with its number of answers: percentiles cannot be added up."""
    return sorted((value, numbers[minute]) for minute, value in values.items() if numbers.get(minute))


def _mean(weights: list[tuple[float, float]]) -> float | None:
    return sum(value * number for value, number in weights) / sum(number for _, number in weights) if weights else None


def _median(weights: list[tuple[float, float]]) -> float | None:
    """The value of the minute in which half of the answers is reached, in the order of the values."""
    half, reached = sum(number for _, number in weights) / 2, 0.0
    for value, number in weights:
        reached += number
        if reached >= half:
            return value
    return None


def _total(percents: Series, numbers: Series) -> float:
    return sum(percent / 100 * numbers.get(minute, 0) for minute, percent in percents.items())
