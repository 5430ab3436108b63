"""The statistics of one period of a metric: sum, average, minimum, maximum, count, percentiles and their ranks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from infra.localcloud.cloudwatch.data import Datum

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
_NUMBER = r"-?\d+(?:\.\d+)?"
# PR(a:b): how many percent of the values are above a and not above b.
_RANK = re.compile(rf"PR\(({_NUMBER})?:({_NUMBER})?\)")


def _count(data: Sequence[Datum]) -> float:
    return sum(datum.statistics.samples if datum.statistics else sum(datum.counts) for datum in data)


def _total(data: Sequence[Datum]) -> float:
    return sum(
        datum.statistics.total
        if datum.statistics
        else sum(value * count for value, count in zip(datum.values, datum.counts, strict=True))
        for datum in data
    )


def _average(data: Sequence[Datum]) -> float | None:
    count = _count(data)
    return _total(data) / count if count else None


def _minimum(data: Sequence[Datum]) -> float:
    return min(datum.statistics.minimum if datum.statistics else min(datum.values) for datum in data)


def _maximum(data: Sequence[Datum]) -> float:
    return max(datum.statistics.maximum if datum.statistics else max(datum.values) for datum in data)


_SIMPLE: Mapping[str, Callable[[Sequence[Datum]], float | None]] = {
    "Sum": _total,
    "Average": _average,
    "Minimum": _minimum,
    "Maximum": _maximum,
    "SampleCount": _count,
}


def check_statistic(name: str) -> None:
    """Refuses a statistic that is not computed.

    Raises:
        NotImplementedError: It is none of the simple ones and no percentile.
    """
    rank = _RANK.fullmatch(name)
    if name not in _SIMPLE and not _PERCENTILE.fullmatch(name) and not (rank and any(rank.groups())):
        known = ", ".join(_SIMPLE)
        raise NotImplementedError(
            f"the statistic {name} is not computed; use one of {known}, a percentile (p99) or its rank (PR(0:1))"
        )


def compute(name: str, data: Sequence[Datum]) -> float | None:
    """A statistic of the data of one period; None if these data do not have it.

    Args:
        name: A simple statistic, a percentile such as ``p99.9``, or a percentile rank such as ``PR(0:0.5)``.
        data: At least one datum.

    Raises:
        NotImplementedError: The statistic is not computed.
    """
    check_statistic(name)
    if simple := _SIMPLE.get(name):
        return simple(data)
    counted = _counted(data)
    if not counted:
        return None
    if rank := _RANK.fullmatch(name):
        above, below = (float(text) if text else None for text in rank.groups())
        return _percentile_rank(above, below, counted)
    return _percentile(float(name[1:]), counted)


def _counted(data: Sequence[Datum]) -> list[tuple[float, float]]:
    """Value and number of each, sorted; empty if the data are no such list.

    As on AWS, a statistic set counts only if all its values are equal.
    """
    counted: list[tuple[float, float]] = []
    for datum in data:
        if known := datum.statistics:
            if known.samples != 1 and known.minimum != known.maximum:
                return []
            counted.append((known.minimum, known.samples))
        else:
            counted += zip(datum.values, datum.counts, strict=True)
    return sorted(counted) if any(number for _, number in counted) else []


def _percentile_rank(above: float | None, below: float | None, counted: Sequence[tuple[float, float]]) -> float:
    within = sum(
        number for value, number in counted if (above is None or value > above) and (below is None or value <= below)
    )
    return 100 * within / sum(number for _, number in counted)


def _percentile(percent: float, counted: Sequence[tuple[float, float]]) -> float:
    """The percentile by linear interpolation between the two nearest values."""
    count = sum(number for _, number in counted)
    rank = percent / 100 * (count - 1)
    lower = int(rank)
    low, high = _at(counted, lower), _at(counted, lower + 1)
    return low + (high - low) * (rank - lower)


def _at(counted: Sequence[tuple[float, float]], position: float) -> float:
    """The value at a position of the sorted values, of which each stands for many; the last one beyond the end."""
    passed = 0.0
    for value, number in counted:
        passed += number
        if position < passed:
            return value
    return counted[-1][0]
