"""How often a canary is called slower: seldom if it is as fast as the live version, nearly always if it is slower.

The latencies are drawn, minute by minute, and what CloudWatch makes of them is compared: percentiles of each minute,
counts, and shares above a limit. Each seed is given, so a test finds the same each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from include.pipelines.deploy.canary.compare import Answered, Verdict, latency_limit, verdict
from include.pipelines.deploy.canary.reading import read_answered, with_slow
from tests.support.canaries import SPEC, CanaryInMemory
from tests.support.deploy_runs import StateInMemory

pytestmark = pytest.mark.stack  # some take seconds; and Airflow's own environment has no numpy
START = datetime(2026, 11, 30, 12, tzinfo=UTC)
MINUTES, TRIALS = 10, 300


@dataclass(frozen=True)
class Speed:
    """A version's latency: most answers are quick, a share of them is slow.

    Attributes:
        share: The share of slow ones.
        slow: Median of their seconds.
        quick: Median of the others'.
    """

    share: float
    slow: float = 0.5
    quick: float = 0.02

    def draw(self, random: np.random.Generator, requests: int) -> list[Any]:
        """Each request falls into a minute by chance, and is slow by chance."""
        minutes = random.multinomial(requests, [1 / MINUTES] * MINUTES)
        return [
            np.where(random.random(number) < self.share, self.slow, self.quick) * random.lognormal(0, 0.2, number)
            for number in minutes
        ]


def judged(
    made: CanaryInMemory, live: Speed, canary: Speed, requests: tuple[int, int], random: np.random.Generator
) -> Verdict:
    """One canary, from what CloudWatch would say to the verdict."""
    for name, speed, number in zip(("live", "canary"), (live, canary), requests, strict=True):
        made.metrics.minute[name]["requests"] = number / MINUTES
        made.metrics.seconds[name] = speed.draw(random, number)
    end = START + timedelta(minutes=MINUTES)
    answered = read_answered(made.hooks, "flights", (1, 2), START, end, whole=True)
    if limit := latency_limit(answered[0], SPEC):
        answered = with_slow(made.hooks, answered, limit, START, end)
    return verdict(*answered, SPEC, same_model=True)


def slower(live: Speed, canary: Speed, requests: tuple[int, int], *, seed: int, trials: int = TRIALS) -> float:
    """In which share of the trials the canary is rolled back for its latency."""
    made, random = CanaryInMemory(StateInMemory()), np.random.default_rng(seed)
    verdicts = [judged(made, live, canary, requests, random) for _ in range(trials)]
    return sum("It is slower" in decided["reasons"][0] for decided in verdicts) / trials


@pytest.mark.parametrize("requests", [(1_800, 200), (1_000, 1_000)])
@pytest.mark.parametrize("share", [0.04, 0.05])
def test_one_that_is_as_fast_is_seldom_called_slower(share: float, requests: tuple[int, int]) -> None:
    """Also where the share of slow answers is such that the p95 is now a quick and now a slow answer's time."""
    alarms = slower(Speed(share), Speed(share), requests, seed=74)
    assert alarms <= 0.07  # the level is 0.05, and this is of 300 trials


@pytest.mark.parametrize(
    ("live", "canary"),
    [
        (Speed(0), Speed(0, quick=0.04)),  # twice as slow altogether
        (Speed(0.01), Speed(0.1)),
        (Speed(0.02), Speed(0.15, slow=0.2)),
        (Speed(0.05), Speed(0.2, slow=1.5)),
    ],
)
def test_one_that_is_slower_is_found(live: Speed, canary: Speed) -> None:
    assert slower(live, canary, (1_800, 200), seed=75, trials=50) >= 0.95
    assert slower(live, canary, (9_000, 1_000), seed=76, trials=20) == 1


@pytest.mark.parametrize(
    ("tail", "quick", "found"),
    [
        (0.04, 0.06, 0.97),
        (0.04, 0.1, 0.9),
        (0.045, 0.06, 0.7),
        (0.045, 0.1, 0.75),
        (0.05, 0.06, 0.4),
        (0.05, 0.1, 0.45),
    ],
)
def test_ordinary_answers_that_are_slower_are_found_beside_a_slow_tail(tail: float, quick: float, found: float) -> None:
    """Both versions have the same share of very slow answers; the canary's others take 3 or 5 times as long."""
    assert slower(Speed(tail), Speed(tail, quick=quick), (1_800, 200), seed=78, trials=100) >= found


def test_twice_as_many_slow_answers_are_found_whatever_the_median_minute_is() -> None:
    assert slower(Speed(0.05), Speed(0.1), (9_000, 1_000), seed=79, trials=100) >= 0.9


def test_a_few_failures_of_the_live_version_are_no_rate() -> None:
    """Both fail at 10 %. The live version had 200 requests, of which by chance few failed."""
    random = np.random.default_rng(77)
    alarms = sum(
        verdict(
            Answered(200, int(random.binomial(200, 0.1)), 0.02, (20.0,) * 10),
            Answered(1_000, int(random.binomial(1_000, 0.1)), 0.02, (100.0,) * 10),
            SPEC,
            same_model=True,
        )["fault"]
        for _ in range(2_000)
    )
    assert alarms / 2_000 <= 0.06
