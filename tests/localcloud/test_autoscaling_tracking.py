"""Target tracking: when tasks are added and taken away, and how many."""

from __future__ import annotations

from typing import Any

import pytest

from infra.localcloud.applicationautoscaling.tracking import Limits, Reading, Since, Step, decide

LIMITS = Limits(1, 10)
LONG_AGO = Since(3600, 3600)


def reading(*values: float | None, policy: str = "cpu", **members: Any) -> Reading:
    """A policy with the target 60; what is not given is as the first value, for 15 minutes."""
    padded = [values[0]] * (15 - len(values)) + list(values)
    return Reading(policy, 60.0, padded, 60.0, 300.0, **members)


def tasks(step: Step | None) -> int | None:
    return step.tasks if step else None


@pytest.mark.parametrize(
    ("values", "now", "wanted"),
    [
        ((90.0,), 2, 3),  # in proportion: 2 tasks at 90 % are 3 at 60 %
        ((61.0,), 2, 3),
        ((600.0,), 2, 10),  # at most the maximum
        ((90.0, 90.0, 30.0), 2, None),  # not for three minutes
        ((90.0, None, 90.0), 2, None),  # a minute without data
        ((60.0,), 2, None),  # at the target
        ((90.0,), 10, None),  # at the maximum already
        ((90.0,), 0, None),  # no tasks: nothing is deployed
    ],
)
def test_three_minutes_above_the_target_add_tasks_in_proportion(
    values: tuple[float | None, ...], now: int, wanted: int | None
) -> None:
    assert tasks(decide([reading(*values)], now, LIMITS, LONG_AGO)) == wanted


@pytest.mark.parametrize(
    ("values", "now", "wanted"),
    [
        ((15.0,), 4, 1),
        ((30.0,), 4, 2),
        ((53.0,), 4, None),  # 53 of 60 is low, but four tasks are needed: rounded up
        ((55.0,), 4, None),  # less than a tenth below
        ((None, 15.0, 15.0, 15.0), 4, None),  # not for fifteen minutes
        ((15.0,), 1, None),  # at the minimum
    ],
)
def test_fifteen_minutes_below_it_take_tasks_away(
    values: tuple[float | None, ...], now: int, wanted: int | None
) -> None:
    assert tasks(decide([reading(*values)], now, LIMITS, LONG_AGO)) == wanted


def test_a_step_waits_for_the_cooldown_of_its_direction() -> None:
    high, low = [reading(90.0)], [reading(15.0)]
    assert decide(high, 2, LIMITS, Since(out=59)) is None
    assert tasks(decide(high, 2, LIMITS, Since(out=61))) == 3
    assert tasks(decide(high, 2, LIMITS, Since(inwards=1))) == 3, "what is needed is added at once"
    assert decide(low, 4, LIMITS, Since(out=299)) is None and decide(low, 4, LIMITS, Since(inwards=299)) is None
    assert tasks(decide(low, 4, LIMITS, Since(301, 301))) == 1


def test_the_policy_that_asks_for_most_decides_and_all_must_agree_to_take_away() -> None:
    low, lower, high = reading(15.0), reading(6.0, policy="memory"), reading(120.0, policy="requests")
    step = decide([low, high], 2, LIMITS, LONG_AGO)
    assert step and (step.tasks, step.policy) == (4, "requests")
    assert tasks(decide([reading(30.0), lower], 8, LIMITS, LONG_AGO)) == 4
    assert decide([low, reading(58.0, policy="memory")], 4, LIMITS, LONG_AGO) is None
    assert decide([low, reading(None, policy="requests")], 4, LIMITS, LONG_AGO) is None
    assert tasks(decide([low, reading(58.0, policy="memory", scales_in=False)], 4, LIMITS, LONG_AGO)) == 1


def test_what_is_suspended_does_not_happen() -> None:
    assert decide([reading(90.0)], 2, Limits(1, 10, out_suspended=True), LONG_AGO) is None
    assert decide([reading(15.0)], 2, Limits(1, 10, in_suspended=True), LONG_AGO) is None
