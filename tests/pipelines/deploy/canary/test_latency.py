"""What makes a canary slower: its answers above a limit, counted. How often that is right: test_latency_simulated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.pipelines.deploy.canary.chance import at_least, at_least_of_both
from include.pipelines.deploy.canary.compare import Answered, Slow, latency_limit, verdict
from include.pipelines.deploy.canary.reading import read_answered, with_slow
from tests.support.canaries import CANARY, LIVE, SPEC, CanaryInMemory, MetricsInMemory
from tests.support.deploy_runs import StateInMemory

START = datetime(2026, 11, 30, 12, tzinfo=UTC)
MINUTES = 10


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
