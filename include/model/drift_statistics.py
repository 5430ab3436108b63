"""Statistics on counts: how much a window differs from a baseline, and whether chance explains it.

Pure Python: the inputs are a dozen counts, and an Airflow worker has no numpy. Training uses the same functions for
the blocks of its own data.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

PSEUDO_COUNT = 0.5  # an empty bin has no logarithm
SMALLEST_EXPECTED = 5.0  # bins in which fewer rows are expected are put together (Cochran, Biometrics 10, 1954)
_EPSILON, _LIMIT = 1e-14, 10_000


class ChiSquare(NamedTuple):
    """A statistic and its degrees of freedom."""

    value: float
    freedom: int


def psi(expected: Mapping[str, float], found: Mapping[str, float]) -> float:
    """Computes the population stability index of two sets of counts.

    The sum over bins of (q - p) ln(q / p), where p and q are the shares: Siddiqi, Credit Risk Scorecards (2006), who
    calls values from 0.25 a shift of the population. Half a row is added to each bin.
    """
    names = [name for name in {**expected, **found} if expected.get(name, 0) or found.get(name, 0)]
    before, after = _shares(expected, names), _shares(found, names)
    return sum((q - p) * math.log(q / p) for p, q in zip(before, after, strict=True))


def chi_square(expected: Mapping[str, float], found: Mapping[str, float]) -> ChiSquare:
    """Computes Pearson's statistic of homogeneity of two samples, over the bins that one of them has.

    Bins with few expected rows are put together.
    """
    totals = sum(expected.values()), sum(found.values())
    rows = sum(totals)
    if not all(totals):
        return ChiSquare(0.0, 0)
    pairs, small = [], [0.0, 0.0]
    for name in {**expected, **found}:
        pair = [expected.get(name, 0), found.get(name, 0)]
        if sum(pair) * min(totals) / rows >= SMALLEST_EXPECTED:
            pairs.append(pair)
        else:
            small = [small[0] + pair[0], small[1] + pair[1]]
    if sum(small):
        pairs.append(small)
    value = 0.0
    for pair in pairs:
        for count, total in zip(pair, totals, strict=True):
            hoped = sum(pair) * total / rows
            value += (count - hoped) ** 2 / hoped
    return ChiSquare(value, len(pairs) - 1)


def p_value(found: ChiSquare, mean: float | None = None, variance: float | None = None) -> float:
    """Returns the probability of a statistic at least as large by chance.

    Args:
        found: The statistic.
        mean: Its mean where nothing has changed; None: that of independent rows.
        variance: Its variance. A scaled chi-square distribution with this mean and variance is used: Satterthwaite,
            Biometrics Bulletin 2 (1946); for samples whose rows are clustered, Rao and Scott, JASA 76 (1981).
    """
    if found.freedom < 1 or found.value <= 0:
        return 1.0
    if mean is None or variance is None or mean <= found.freedom:
        return chi_square_tail(found.value, found.freedom)
    scale = max(1.0, variance / (2 * mean))
    return chi_square_tail(found.value / scale, mean / scale)


def chi_square_tail(value: float, freedom: float) -> float:
    """Returns the upper tail of the chi-square distribution: the regularized gamma function Q(freedom/2, value/2).

    Abramowitz and Stegun, 6.5.29 (series) and 6.5.31 (continued fraction, by Lentz's method).
    """
    a, x = freedom / 2, value / 2
    if x <= 0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for step in range(1, _LIMIT):
            term *= x / (a + step)
            total += term
            if term < total * _EPSILON:
                break
        return max(0.0, 1 - front * total)
    b = x + 1 - a
    c, d = 1e300, 1 / b
    fraction = d
    for step in range(1, _LIMIT):
        numerator = -step * (step - a)
        b += 2
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        fraction *= c * d
        if abs(c * d - 1) < _EPSILON:
            break
    return min(1.0, front * fraction)


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Adjusts p values for their number: the false discovery rate, by Benjamini and Hochberg, JRSS B 57 (1995)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index], reverse=True)
    result, least = [1.0] * len(p_values), 1.0
    for position, index in enumerate(order):
        least = min(least, p_values[index] * len(p_values) / (len(p_values) - position))
        result[index] = least
    return result


def share(counts: Mapping[str, float], names: Iterable[str]) -> float:
    """Returns the share of the rows in some bins; 0 without rows."""
    total = sum(counts.values())
    return sum(counts.get(name, 0) for name in names) / total if total else 0.0


def interval(estimate: float, variance: float, confidence: float = 0.95) -> tuple[float, float]:
    """Returns the normal interval of an estimate of a probability, within 0 and 1."""
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(max(0.0, variance))
    return max(0.0, estimate - half), min(1.0, estimate + half)


def _shares(counts: Mapping[str, float], names: Sequence[str]) -> list[float]:
    total = sum(counts.get(name, 0) for name in names) + PSEUDO_COUNT * len(names)
    return [(counts.get(name, 0) + PSEUDO_COUNT) / total for name in names]
