"""The targets of target groups and their health, decided by HTTP requests to them.

States are those of Elastic Load Balancing: initial → healthy | unhealthy; draining after deregistration, then removed.
As on AWS, one passed check makes a new target healthy; ``HealthyThresholdCount`` applies only to an unhealthy one.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from infra.localcloud.background import Background, report_exception

_IDLE_SECONDS = 10.0  # the longest pause without a due check; every change ends it
_CHECKERS = 8
# Interval between checks of a target that has not passed one yet, so that a start does not take a whole interval.
_INITIAL_SECONDS = 0.25
Clock = Callable[[], float]


@dataclass(frozen=True)
class HealthCheck:
    """The health check of a target group.

    Attributes:
        path: The path that is requested.
        port: The port that is requested; None is the target's own port.
        interval: Seconds between checks.
        timeout: Seconds after which a check has failed.
        healthy_after: Passed checks in a row that make an unhealthy target healthy.
        unhealthy_after: Failed checks in a row that make a target unhealthy.
        codes: ``Matcher.HttpCode``: ``200``, ``200,202`` or ``200-299``.
        enabled: False makes every target healthy.
    """

    path: str = "/"
    port: int | None = None
    interval: float = 30
    timeout: float = 5
    healthy_after: int = 5
    unhealthy_after: int = 2
    codes: str = "200"
    enabled: bool = True

    def accepts(self, status: int) -> bool:
        """Whether the HTTP status is one of ``codes``."""
        for part in self.codes.split(","):
            low, _, high = part.partition("-")
            if int(low) <= status <= int(high or low):
                return True
        return False


@dataclass
class RegisteredTarget:
    """One registered address and port. Times are values of the registry's clock."""

    address: str
    port: int
    state: str = "initial"
    reason: str = "Elb.RegistrationInProgress"
    description: str = "Target registration is in progress"
    passes: int = 0
    failures: int = 0
    check_at: float = 0  # the next check is due
    count_at: float = 0  # a failed check before this time is no further failure
    removed_at: float = 0  # a draining target is removed
    checking: bool = field(default=False, repr=False)


class TargetRegistry:
    """All targets of one account, checked in the background until :meth:`close`.

    Args:
        check_of: Returns the present health check of a target group, None for a deleted group.
        background: Runs the threads of the checks.
        clock: Seconds, monotonic.

    Attributes:
        on_change: Called without arguments after the state of a target has changed.
    """

    def __init__(
        self,
        check_of: Callable[[str], HealthCheck | None],
        background: Background,
        clock: Clock = time.monotonic,
    ) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._check_of = check_of
        self._background = background
        self._clock = clock
        self._lock = threading.Lock()
        self._groups: dict[str, dict[tuple[str, int], RegisteredTarget]] = {}
        self._most_unhealthy: dict[str, int] = {}
        self._pool = background.pool("elb-check", _CHECKERS)
        self._loop = background.loop("elb-health", self._run_due)

    def close(self) -> None:
        """Ends the checks."""
        self._background.remove(self._loop)
        self._background.remove(self._pool)

    def register(self, group: str, address: str, port: int) -> None:
        """Adds a target. A registered one stays as it is; a draining one starts again as new."""
        with self._lock:
            targets = self._groups.setdefault(group, {})
            known = targets.get((address, port))
            if known is None or known.state == "draining":
                now = self._clock()
                targets[address, port] = RegisteredTarget(address, port, check_at=now, count_at=now)
        self._loop.wake()

    def deregister(self, group: str, address: str, port: int, delay: float) -> bool:
        """Stops new requests to a target and removes it after ``delay`` seconds. False when it is not registered."""
        with self._lock:
            target = self._groups.get(group, {}).get((address, port))
            if target is None or target.state == "draining":
                return False
            target.state = "draining"
            target.reason = "Target.DeregistrationInProgress"
            target.description = "Target deregistration is in progress"
            target.removed_at = self._clock() + delay
        self._loop.wake()
        return True

    def forget(self, group: str) -> None:
        """Removes all targets of a deleted group."""
        with self._lock:
            self._groups.pop(group, None)

    def state(self, group: str, address: str, port: int) -> str | None:
        """The target's state, None when it is not (or no longer) registered."""
        with self._lock:
            target = self._groups.get(group, {}).get((address, port))
            return target.state if target else None

    def targets(self, group: str) -> list[RegisteredTarget]:
        """The group's targets, draining ones included."""
        with self._lock:
            return list(self._groups.get(group, {}).values())

    def ports(self, group: str) -> set[int]:
        """The ports on which the group has targets."""
        with self._lock:
            return {port for _, port in self._groups.get(group, {})}

    def healthy(self, group: str, port: int) -> list[str]:
        """Addresses of the targets on ``port`` that may be sent requests now."""
        with self._lock:
            return [t.address for t in self._groups.get(group, {}).values() if t.state == "healthy" and t.port == port]

    def record_check(self, target: RegisteredTarget, check: HealthCheck, status: int | None, failure: str = "") -> None:
        """Updates a target's state with the result of one check.

        Args:
            target: A target of this registry.
            check: The check that was made.
            status: The HTTP status, None when there was no response.
            failure: ELB's reason code when there was no response.
        """
        with self._lock:
            if target.state == "draining":
                return
            now, before = self._clock(), target.state
            if status is not None and (not check.enabled or check.accepts(status)):
                _pass(target, check, now)
            else:
                _fail(target, check, now, status, failure)
            changed = target.state != before
            if changed and target.state == "unhealthy":
                self._count_unhealthy(target)
        if changed:
            self.on_change()

    def take_most_unhealthy(self, group: str) -> int:
        """How many targets of the group were unhealthy at the same time, at most, since the last call.

        ECS replaces an unhealthy task at once: whoever looks once a minute would hardly see it.
        """
        with self._lock:
            most = self._most_unhealthy.pop(group, 0)
            return max(most, self._unhealthy(group))

    def _unhealthy(self, group: str) -> int:
        return sum(target.state == "unhealthy" for target in self._groups.get(group, {}).values())

    def _count_unhealthy(self, target: RegisteredTarget) -> None:
        for group, targets in self._groups.items():
            if targets.get((target.address, target.port)) is target:
                self._most_unhealthy[group] = max(self._most_unhealthy.get(group, 0), self._unhealthy(group))

    # --- checking ---

    def _run_due(self) -> float:
        """Starts the due checks; returns the seconds until the next one is due."""
        removed, due = self._due()
        if removed:
            self.on_change()
        for group, target in due:
            self._pool.submit(self._check, group, target)
        with self._lock:
            targets = [target for targets in self._groups.values() for target in targets.values()]
            times = [t.removed_at if t.state == "draining" else t.check_at for t in targets if not t.checking]
        return max(0.0, min([_IDLE_SECONDS, *(at - self._clock() for at in times)]))

    def _due(self) -> tuple[bool, list[tuple[str, RegisteredTarget]]]:
        """Removes drained targets.

        Returns:
            Whether one was removed, and the targets to check now, marked as ``checking``.
        """
        now = self._clock()
        due = []
        removed = False
        with self._lock:
            for group, targets in self._groups.items():
                for key in [k for k, t in targets.items() if t.state == "draining" and t.removed_at <= now]:
                    del targets[key]
                    removed = True
                for target in targets.values():
                    if target.state != "draining" and not target.checking and target.check_at <= now:
                        target.checking = True
                        due.append((group, target))
        return removed, due

    def _check(self, group: str, target: RegisteredTarget) -> None:
        target.check_at = self._clock() + _IDLE_SECONDS  # of a deleted group, or when the check cannot be made
        try:
            check = self._check_of(group)
            if check is not None:
                status, failure = (
                    request_health(target.address, check.port or target.port, check) if check.enabled else (200, "")
                )
                self.record_check(target, check, status, failure)
        except Exception as error:  # for example a matcher that is no list of numbers
            report_exception("elb-check")
            with self._lock:
                target.reason, target.description = "Elb.InternalError", f"{type(error).__name__}: {error}"
            raise
        finally:
            target.checking = False
            self._loop.wake()


def _pass(target: RegisteredTarget, check: HealthCheck, now: float) -> None:
    target.failures, target.passes = 0, target.passes + 1
    if target.state == "initial" or target.passes >= check.healthy_after:
        target.state, target.reason, target.description = "healthy", "", ""
    target.check_at = target.count_at = now + check.interval


def _fail(target: RegisteredTarget, check: HealthCheck, now: float, status: int | None, failure: str) -> None:
    target.passes = 0
    if now >= target.count_at:
        target.failures += 1
        target.count_at = now + check.interval
    if target.failures >= check.unhealthy_after:
        target.state = "unhealthy"
        if status is not None:
            target.reason = "Target.ResponseCodeMismatch"
            target.description = f"Health checks failed with these codes: [{status}]"
        else:
            target.reason = failure
            target.description = "Request timed out" if failure == "Target.Timeout" else "Health checks failed"
    target.check_at = min(now + _INITIAL_SECONDS, target.count_at) if target.state == "initial" else target.count_at


def request_health(address: str, port: int, check: HealthCheck) -> tuple[int | None, str]:
    """Makes one health check request.

    Returns:
        The HTTP status and "", or None and ELB's reason code when there was no response.
    """
    connection = http.client.HTTPConnection(address, port, timeout=check.timeout)
    try:
        connection.request("GET", check.path, headers={"User-Agent": "ELB-HealthChecker/2.0", "Connection": "close"})
        return connection.getresponse().status, ""
    except TimeoutError:
        return None, "Target.Timeout"
    except (OSError, http.client.HTTPException):
        return None, "Target.FailedHealthChecks"
    finally:
        connection.close()
