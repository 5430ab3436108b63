"""How probable it is that chance alone makes so many requests of one group fail, or slow. Pure functions (ADR 74).

Each is the upper tail of a distribution, added up from its logarithms: exact, also for some failures of few requests.
"""

from __future__ import annotations

import math
from collections.abc import Iterator


def at_least(found: int, requests: int, rate: float) -> float:
    """Returns how probable it is that at least so many of the requests are found, if each is at this rate (binomial).

    Args:
        found: How many requests failed, or were slow.
        requests: Of how many.
        rate: The probability of each.
    """
    if not 0 < rate < 1:
        return float(rate >= 1 or not found)
    fewer = (
        _log_choices(requests, number) + number * math.log(rate) + (requests - number) * math.log1p(-rate)
        for number in range(found)
    )
    return max(0.0, 1 - math.fsum(map(math.exp, fewer)))


def at_least_of_both(found: int, requests: int, other_found: int, other_requests: int) -> float:
    """Returns how probable it is that at least so many are in this group, if both have the same rate.

    That is Fisher's exact test, one-sided: which of the found requests are this group's is then as good as drawn by
    lot (hypergeometric), whatever the rate is.

    Args:
        found: How many requests of this group failed, or were slow.
        requests: Of how many.
        other_found: How many of the other group.
        other_requests: Of how many.
    """
    of_both, of_all = found + other_found, requests + other_requests
    lots = _log_choices(of_all, of_both)

    def fewer() -> Iterator[float]:
        for number in range(max(0, of_both - other_requests), found):
            yield _log_choices(requests, number) + _log_choices(other_requests, of_both - number) - lots

    return max(0.0, 1 - math.fsum(map(math.exp, fewer())))


def _log_choices(of: int, number: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(number + 1) - math.lgamma(of - number + 1)
