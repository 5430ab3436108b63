"""Health of targets without a server: thresholds, the matcher and draining."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from infra.localcloud.background import Background, Loop
from infra.localcloud.elb.targets import HealthCheck, RegisteredTarget, TargetRegistry

CHECK = HealthCheck(path="/", interval=10, timeout=1, healthy_after=3, unhealthy_after=2, codes="200-204,302")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class NoLoops(Background):
    """Background threads that do nothing."""

    def loop(self, name: str, step: Callable[[], float], stuck_seconds: float = 30) -> Loop:
        return super().loop(name, lambda: 3600.0, stuck_seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(clock: Clock) -> Iterator[TargetRegistry]:
    """A registry that makes no checks itself: tests record the results."""
    made = TargetRegistry(lambda group: CHECK, NoLoops(), clock)
    yield made
    made.close()


def test_the_matcher_takes_codes_and_ranges() -> None:
    assert [status for status in (199, 200, 204, 205, 302, 503) if CHECK.accepts(status)] == [200, 204, 302]


def checked(registry: TargetRegistry, clock: Clock, statuses: list[int | None]) -> RegisteredTarget:
    """A target after one check an interval with each of these results."""
    registry.register("g", "127.0.0.201", 80)
    (target,) = registry.targets("g")
    for status in statuses:
        registry.record_check(target, CHECK, status, "Target.FailedHealthChecks")
        clock.now = target.count_at
    return target


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ([], "initial"),
        ([200], "healthy"),
        ([503], "initial"),
        ([503, None], "unhealthy"),
        ([503, 200], "healthy"),
        ([200, 503], "healthy"),
        ([200, 503, 200, 503], "healthy"),
        ([200, 503, 503], "unhealthy"),
        ([503, 503, 200, 200], "unhealthy"),
        ([503, 503, 200, 200, 200], "healthy"),
    ],
)
def test_states_follow_the_thresholds(
    registry: TargetRegistry, clock: Clock, statuses: list[int | None], state: str
) -> None:
    assert checked(registry, clock, statuses).state == state


def test_a_failure_counts_once_an_interval(registry: TargetRegistry, clock: Clock) -> None:
    """A new target is checked more often than once an interval; the extra checks are no further failures."""
    registry.register("g", "127.0.0.201", 80)
    (target,) = registry.targets("g")
    for _ in range(20):
        registry.record_check(target, CHECK, None, "Target.FailedHealthChecks")
        assert target.check_at - clock.now < 1
    assert target.state == "initial" and target.failures == 1


def test_the_reason_of_an_unhealthy_target(registry: TargetRegistry, clock: Clock) -> None:
    target = checked(registry, clock, [503, 503])
    assert (target.reason, target.description) == (
        "Target.ResponseCodeMismatch",
        "Health checks failed with these codes: [503]",
    )


def test_targets_are_identified_by_address_and_port(registry: TargetRegistry) -> None:
    registry.register("g", "127.0.0.201", 80)
    registry.register("g", "127.0.0.201", 81)
    registry.record_check(registry.targets("g")[0], CHECK, 200)
    assert registry.healthy("g", 80) == ["127.0.0.201"] and registry.healthy("g", 81) == []
    assert registry.ports("g") == {80, 81}


def test_a_drained_target_gets_no_requests_and_registers_as_new(registry: TargetRegistry, clock: Clock) -> None:
    target = checked(registry, clock, [200])
    assert registry.deregister("g", "127.0.0.201", 80, delay=30)
    assert registry.healthy("g", 80) == [] and target.state == "draining"
    for _ in range(CHECK.healthy_after):
        registry.record_check(target, CHECK, 200)
    assert target.state == "draining", "a check that ends after deregistration changes nothing"
    assert not registry.deregister("g", "127.0.0.201", 80, delay=30)
    registry.register("g", "127.0.0.201", 80)
    assert registry.state("g", "127.0.0.201", 80) == "initial"


def test_a_target_that_was_unhealthy_between_two_looks_is_counted_once(registry: TargetRegistry, clock: Clock) -> None:
    checked(registry, clock, [200, 503, 503])
    registry.deregister("g", "127.0.0.201", 80, 0)
    assert registry.take_most_unhealthy("g") == 1
    assert registry.take_most_unhealthy("g") == 0
    assert registry.take_most_unhealthy("never-was") == 0
