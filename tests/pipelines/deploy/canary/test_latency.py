"""How often a canary is called slower: seldom if it is as fast as the live version, nearly always if it is slower.

The latencies are drawn, minute by minute, and what CloudWatch makes of them is compared: percentiles of each minute,
counts, and shares above a limit. Each seed is given, so a test finds the same each time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from include.pipelines.deploy.canary.chance import at_least, at_least_of_both
from include.pipelines.deploy.canary.compare import Answered, Slow, Verdict, latency_limit, verdict
from include.pipelines.deploy.canary.reading import read_answered, with_slow
from tests.support.canaries import SPEC, CanaryInMemory
from tests.support.deploy_runs import StateInMemory

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


def judged(live: Speed, canary: Speed, requests: tuple[int, int], random: np.random.Generator) -> Verdict:
    """One canary, from what CloudWatch would say to the verdict."""
    made = CanaryInMemory(StateInMemory())
    for name, speed, number in zip(("live", "canary"), (live, canary), requests, strict=True):
        made.metrics.minute[name]["requests"] = number / MINUTES
        made.metrics.seconds[name] = speed.draw(random, number)
    end = START + timedelta(minutes=MINUTES)
    answered = read_answered(made.hooks, "flights", (1, 2), START, end, whole=True)
    if limit := latency_limit(*answered, SPEC):
        answered = with_slow(made.hooks, answered, limit, START, end)
    return verdict(*answered, SPEC, same_model=True)


def slower(live: Speed, canary: Speed, requests: tuple[int, int], *, seed: int, trials: int = TRIALS) -> float:
    """In which share of the trials the canary is rolled back for its latency."""
    random = np.random.default_rng(seed)
    verdicts = [judged(live, canary, requests, random) for _ in range(trials)]
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


def answered(p95: float, slow: tuple[int, int] | None) -> Answered:
    return Answered(1_000, 0, p95, (100.0,) * 10, Slow(*slow) if slow else None)


def test_the_verdict_says_how_many_were_slow_and_how_probable_that_is() -> None:
    decided = verdict(answered(0.02, (20, 1_000)), answered(0.5, (90, 1_000)), SPEC, same_model=True)
    assert (decided["outcome"], decided["fault"]) == ("roll_back", True)
    for part in (
        "p95 500.0 ms",
        "90 of 1000 answers took more than 35.0 ms (9.00%; 5%",
        "20 of 1000",
        "slower below 0.05",
    ):
        assert part in decided["reasons"][0]


@pytest.mark.parametrize(
    ("live", "canary"),
    [(49, 55), (10, 50)],
    ids=["by_chance", "more_but_no_more_than_a_twentieth"],
)
def test_what_is_not_slower_is_promoted_and_the_note_has_the_numbers(live: int, canary: int) -> None:
    decided = verdict(answered(0.02, (live, 1_000)), answered(0.5, (canary, 1_000)), SPEC, same_model=True)
    assert decided["outcome"] == "promote"
    for part in (f"{canary} of 1000 answers took more than 35.0 ms", f"the live version's {live} of 1000"):
        assert part in decided["reasons"][0]


@pytest.mark.parametrize("live", [(49, 1_000), None])
def test_without_the_counts_the_p95_decides(live: tuple[int, int] | None) -> None:
    """A version must not be promoted because its figures cannot be read."""
    decided = verdict(answered(0.02, live), answered(0.5, None), SPEC, same_model=True)
    assert (decided["outcome"], decided["fault"]) == ("roll_back", True)


def test_slow_answers_are_only_counted_where_the_p95_is_above_the_limit() -> None:
    one = answered(0.02, None)
    assert latency_limit(one, replace(one, p95_seconds=0.0349), SPEC) is None
    assert latency_limit(one, replace(one, p95_seconds=0.0351), SPEC) == pytest.approx(0.035)
    assert latency_limit(one, replace(one, p95_seconds=None), SPEC) is None


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


@pytest.mark.parametrize(
    ("counts", "probability"),
    [((3, 4, 1, 4), 17 / 70), ((0, 5, 3, 5), 1.0), ((4, 4, 0, 4), 1 / 70), ((5, 10, 10, 10), 1.0)],
)
def test_the_probability_that_so_many_are_in_one_of_two_like_groups(
    counts: tuple[int, int, int, int], probability: float
) -> None:
    """Fisher's lady tasting tea, and the ends."""
    assert at_least_of_both(*counts) == pytest.approx(probability)


@pytest.mark.parametrize(
    "test", [lambda: at_least(60_000, 1_000_000, 0.05), lambda: at_least_of_both(6, 9, 5_000, 10**5)]
)
def test_many_requests_are_no_problem(test: Callable[[], float]) -> None:
    assert 0 <= test() < 1e-5
