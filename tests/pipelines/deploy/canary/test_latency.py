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
from tests.support.canaries import CANARY, LIVE, SPEC, CanaryInMemory, MetricsInMemory
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


def test_slow_answers_count_also_where_the_p95_is_within_the_limit() -> None:
    """The p95 of few requests, or of minutes that differ, says less than their number."""
    decided = verdict(answered(0.02, (20, 1_000)), answered(0.03, (90, 1_000)), SPEC, same_model=True)
    assert (decided["outcome"], decided["fault"]) == ("roll_back", True)


@pytest.mark.parametrize(("minutes", "median", "lower"), [(4, 0.02, 0.02), (6, 0.5, 0.3188)])
def test_the_limit_is_made_of_the_median_minute_or_of_the_mean(minutes: int, median: float, lower: float) -> None:
    """Some of 10 minutes have a slow answer's time as their p95: the mean is neither quick nor slow."""
    made = CanaryInMemory(StateInMemory())
    made.metrics.seconds["live"] = [[0.02] * 90 + [0.5] * (10 if minute < minutes else 1) for minute in range(MINUTES)]
    live, _ = read_answered(made.hooks, "flights", (1, 2), START, START + timedelta(minutes=MINUTES), whole=True)
    assert live.middle_p95_seconds == pytest.approx(median)
    assert 0.2 < (live.p95_seconds or 0) < 0.35
    assert latency_limit(live, SPEC) == pytest.approx(1.5 * lower + 0.005, abs=0.001)
    assert latency_limit(replace(live, p95_seconds=None, middle_p95_seconds=None), SPEC) is None


def known_of(group: dict[str, str], minutes: range) -> Callable[..., Any]:
    """CloudWatch has the shares above the limit of some minutes only."""

    class Metrics(MetricsInMemory):
        def minutes(self, queries: Any, start: datetime, end: datetime) -> Any:
            found = dict(super().minutes(queries, start, end))
            for name, (_, _, dimensions, statistic) in queries.items():
                if statistic.startswith("PR(0.0") and dimensions == group:
                    kept = {start + timedelta(minutes=number) for number in minutes}
                    found[name] = {minute: value for minute, value in found[name].items() if minute in kept}
            return found

    return Metrics


@pytest.mark.parametrize("group", [LIVE, CANARY], ids=["live", "canary"])
@pytest.mark.parametrize("known", [0, 1, 5, 9])
def test_counts_of_some_minutes_are_no_counts(group: dict[str, str], known: int) -> None:
    """The canary is slow from the sixth minute on, and CloudWatch has not said so of each minute."""
    made = CanaryInMemory(StateInMemory())
    hooks = replace(made.hooks, metrics=known_of(group, range(known))())
    hooks.metrics.seconds = {  # type: ignore[attr-defined]
        "live": [[0.02] * 180] * MINUTES,
        "canary": [[0.02] * 20] * 5 + [[0.4] * 20] * 5,
    }
    end = START + timedelta(minutes=MINUTES)
    both = read_answered(hooks, "flights", (1, 2), START, end, whole=True)
    limit = latency_limit(both[0], SPEC)
    assert limit is not None
    live, canary = with_slow(hooks, both, limit, START, end)
    assert (live if group is LIVE else canary).slow is None
    decided = verdict(live, canary, SPEC, same_model=True)
    assert (decided["outcome"], decided["fault"]) == ("roll_back", True)


def test_a_minute_without_an_answer_needs_no_share() -> None:
    made = CanaryInMemory(StateInMemory())
    made.metrics.seconds = {"live": [[0.02] * 180] * MINUTES, "canary": [[0.02] * 40, []] * (MINUTES // 2)}
    end = START + timedelta(minutes=MINUTES)
    both = read_answered(made.hooks, "flights", (1, 2), START, end, whole=True)
    _, canary = with_slow(made.hooks, both, 0.01, START, end)
    assert canary.slow == (200, 200)


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
