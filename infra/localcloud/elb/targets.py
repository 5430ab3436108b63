"""Targets of target groups and their health, decided by requests that are really made to them.

States are the Elastic Load Balancer's: initial → healthy | unhealthy, draining after deregistration, then forgotten.
As on AWS, one passed check makes a new target healthy; ``HealthyThresholdCount`` counts only for one that was unhealthy.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

_TICK_SECONDS = 0.1
_INITIAL_SECONDS = (
    0.25  # between two looks at a target that has not passed yet: a start should not cost a whole interval
)
Clock = Callable[[], float]


@dataclass(frozen=True)
class Check:
    """How a target group asks its targets; seconds, counts, and the codes of ``Matcher.HttpCode``."""

    path: str = "/"
    port: int | None = None
    interval: float = 30
    timeout: float = 5
    healthy_after: int = 5
    unhealthy_after: int = 2
    codes: str = "200"
    enabled: bool = True

    def accepts(self, status: int) -> bool:
        """``200``, ``200,202`` and ``200-299`` as the Matcher writes them."""
        for part in self.codes.split(","):
            low, _, high = part.partition("-")
            if int(low) <= status <= int(high or low):
                return True
        return False


@dataclass
class Target:
    """One registered address and port."""

    address: str
    port: int
    state: str = "initial"
    reason: str = "Elb.RegistrationInProgress"
    description: str = "Target registration is in progress"
    passes: int = 0
    failures: int = 0
    look_at: float = 0
    count_at: float = 0
    gone_at: float = 0
    checking: bool = field(default=False, repr=False)


class Targets:
    """All targets of one account. ``check_of(group)`` gives the check that holds now, ``None`` for a deleted group."""

    def __init__(self, check_of: Callable[[str], Check | None], clock: Clock = time.monotonic) -> None:
        self._check_of = check_of
        self._clock = clock
        self._lock = threading.Lock()
        self._groups: dict[str, dict[tuple[str, int], Target]] = {}
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="elb-check")
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name="elb-health", daemon=True).start()

    def close(self) -> None:
        self._stopped.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def register(self, group: str, address: str, port: int) -> None:
        """Registering a target that is registered changes nothing; a draining one comes back as new."""
        with self._lock:
            targets = self._groups.setdefault(group, {})
            known = targets.get((address, port))
            if known is None or known.state == "draining":
                now = self._clock()
                targets[(address, port)] = Target(address, port, look_at=now, count_at=now)

    def deregister(self, group: str, address: str, port: int, delay: float) -> bool:
        """Sends it no new requests; it is forgotten after ``delay`` seconds. False when it is not registered."""
        with self._lock:
            target = self._groups.get(group, {}).get((address, port))
            if target is None or target.state == "draining":
                return False
            target.state = "draining"
            target.reason, target.description = (
                "Target.DeregistrationInProgress",
                "Target deregistration is in progress",
            )
            target.gone_at = self._clock() + delay
            return True

    def forget(self, group: str) -> None:
        with self._lock:
            self._groups.pop(group, None)

    def state(self, group: str, address: str, port: int) -> str | None:
        """The target's state, ``None`` when it is not (or no longer) registered."""
        with self._lock:
            target = self._groups.get(group, {}).get((address, port))
            return target.state if target else None

    def list(self, group: str) -> list[Target]:
        with self._lock:
            return list(self._groups.get(group, {}).values())

    def ports(self, group: str) -> set[int]:
        with self._lock:
            return {port for _, port in self._groups.get(group, {})}

    def healthy(self, group: str, port: int) -> list[str]:
        """Addresses that may be sent requests now."""
        with self._lock:
            return [t.address for t in self._groups.get(group, {}).values() if t.state == "healthy" and t.port == port]

    # --- checking ---

    def _run(self) -> None:
        while not self._stopped.wait(_TICK_SECONDS):
            now = self._clock()
            with self._lock:
                for targets in self._groups.values():
                    for key in [k for k, t in targets.items() if t.state == "draining" and t.gone_at <= now]:
                        del targets[key]
                due = [
                    (group, target)
                    for group, targets in self._groups.items()
                    for target in targets.values()
                    if target.state != "draining" and not target.checking and target.look_at <= now
                ]
                for _, target in due:
                    target.checking = True
            for group, target in due:
                self._pool.submit(self._look, group, target)

    def _look(self, group: str, target: Target) -> None:
        check = self._check_of(group)
        try:
            if check is None:
                return
            status, failure = (200, "") if not check.enabled else ask(target.address, check.port or target.port, check)
            with self._lock:
                self._judge(target, check, status, failure)
        finally:
            target.checking = False

    def _judge(self, target: Target, check: Check, status: int | None, failure: str) -> None:
        if target.state == "draining":
            return
        now = self._clock()
        if status is not None and (not check.enabled or check.accepts(status)):
            target.failures, target.passes = 0, target.passes + 1
            if target.state == "initial" or target.passes >= check.healthy_after:
                target.state, target.reason, target.description = "healthy", "", ""
            target.look_at = target.count_at = now + check.interval
            return
        target.passes = 0
        if now >= target.count_at:
            target.failures += 1
            target.count_at = now + check.interval
        if target.failures >= check.unhealthy_after:
            target.state = "unhealthy"
            target.reason = "Target.ResponseCodeMismatch" if status is not None else failure
            target.description = (
                f"Health checks failed with these codes: [{status}]"
                if status is not None
                else {"Target.Timeout": "Request timed out"}.get(failure, "Health checks failed")
            )
        target.look_at = min(now + _INITIAL_SECONDS, target.count_at) if target.state == "initial" else target.count_at


def ask(address: str, port: int, check: Check) -> tuple[int | None, str]:
    """The status of one health check request, or ``None`` and the reason why there is none."""
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
