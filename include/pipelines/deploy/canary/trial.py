"""A canary run, step by step: may it begin, give it a share of the requests, compare, end it (ADR 47)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from include.errors import NothingToDoError
from include.lake.instants import format_instant, parse_instant
from include.pipelines.deploy import live_log
from include.pipelines.deploy.canary.compare import Verdict, early_verdict, latency_limit, verdict
from include.pipelines.deploy.canary.hooks import CanaryHooks
from include.pipelines.deploy.canary.reading import read_answered, with_slow
from include.pipelines.deploy.faults import FAULT_KEY, VerificationError, VersionFaultError
from include.pipelines.deploy.fence import own_intent
from include.pipelines.deploy.resolve import DeployTarget
from include.workloads import Workload
from include.workloads.deploying import CanarySpec

_MINUTE = timedelta(minutes=1)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Trial(TypedDict):
    """What the task ``share_traffic`` returns."""

    start: str
    """The first whole minute in which the canary got its share."""
    end: str
    version: int
    live_version: int
    share: float


@dataclass(frozen=True)
class Canary:
    """The canary of one workload.

    Attributes:
        workload: The workload.
        hooks: Its AWS hooks.
        settle: How long after a minute its metrics may still change.
        now: The clock.
    """

    workload: Workload
    hooks: CanaryHooks
    settle: timedelta
    now: Callable[[], datetime] = _utc_now

    @property
    def spec(self) -> CanarySpec:
        """The workload's limits."""
        if self.workload.deploy.canary is None:
            raise ValueError(f"{self.workload.name} has no canary")
        return self.workload.deploy.canary

    def check_begin(self, run_id: str) -> None:
        """Checks that this run's deploy is one to try on a share of the requests.

        Raises:
            NothingToDoError: Nothing is live to compare with, or a person goes back or repairs: that is not to wait.
            SupersededError: The newest deploy is another run's.
        """
        _, intent = own_intent(self.workload.name, self.hooks.state, run_id=run_id)
        if intent["replaces"] is None:
            raise NothingToDoError("No version is live, so there is none to compare a canary with.")
        if intent["kind"] != "deploy":
            raise NothingToDoError(f"A {intent['kind']} does not wait for a canary.")

    def share_traffic(self, target: DeployTarget, run_id: str) -> Trial:
        """Gives the canary its share of the requests.

        Raises:
            SupersededError: The newest deploy is another run's.
            VerificationError: Not all of the canary's tasks run, so callers would get no answer.
        """
        own_intent(self.workload.name, self.hooks.state, run_id=run_id)
        self._check_running()
        self.hooks.weights.set_share(self.spec.share)
        try:
            self._check_running()  # the run's time limit may have ended it meanwhile
        except VerificationError:
            self.hooks.weights.set_share(0)
            raise
        start = self.now().replace(second=0, microsecond=0) + _MINUTE
        return {
            "start": format_instant(start),
            "end": format_instant(start + self.spec.minutes * _MINUTE),
            "version": target["version"],
            "live_version": target["live_version"] or target["version"],
            "share": self.spec.share,
        }

    def compare(self, trial: Trial, run_id: str) -> Verdict | None:
        """Compares the canary with the live version; once that is decided, all requests go to the live one again.

        Args:
            trial: What :meth:`share_traffic` returned.
            run_id: The deploy run.

        Returns:
            The verdict; None while the time is not over and nothing is wrong.

        Raises:
            SupersededError: The newest deploy is another run's.
        """
        own_intent(self.workload.name, self.hooks.state, run_id=run_id)
        at, start, end = self.now(), parse_instant(trial["start"]), parse_instant(trial["end"])
        over, versions = at >= end + self.settle, (trial["live_version"], trial["version"])
        if at >= end and self.hooks.weights.share():
            self.hooks.weights.set_share(0)  # while the last metrics arrive
        if not over:
            if at <= start:
                return None
            live, canary = read_answered(self.hooks, self.workload.name, versions, start, end, whole=False)
            decided = early_verdict(live, canary, self.spec)
        else:
            live, canary = read_answered(self.hooks, self.workload.name, versions, start, end, whole=True)
            if limit := latency_limit(live, self.spec):
                live, canary = with_slow(self.hooks, (live, canary), limit, start, end)
            decided = verdict(live, canary, self.spec, same_model=versions[0] == versions[1])
        if decided:
            self.hooks.end()
        return decided

    def end(self, run_id: str) -> None:
        """Ends what this run began, whatever has happened to it.

        Raises:
            NothingToDoError: The newest deploy is another run's, which has ended it, or none was begun.
        """
        intent = live_log.newest_entry(self.workload.name, self.hooks.state)["intent"]
        if intent is None or intent["run_id"] != run_id:
            raise NothingToDoError("This run has begun no canary, or a newer deploy has ended it.")
        self.hooks.end()

    def _check_running(self) -> None:
        """A rollout that succeeded says nothing of the tasks: its canary may have been ended since."""
        primary = self.hooks.service.primary()
        running, desired = primary["runningCount"], primary["desiredCount"]
        if not 0 < desired <= running:
            raise VerificationError(
                f"The canary has {running} running tasks of {desired}, so it gets no requests. Its run has ended it, "
                "at its time limit for instance, or a task has stopped. The version stays approved: trigger a new run."
            )

    @property
    def fault(self) -> tuple[str, type[Exception]]:
        """The XCom that names a fault of the version, and what :meth:`accept` then raises."""
        return FAULT_KEY, VersionFaultError

    def accept(self, decided: Verdict) -> str:
        """Returns why the version is promoted.

        Raises:
            VersionFaultError: It is at fault.
            VerificationError: It is rolled back without a fault.
        """
        text = " ".join(decided["reasons"])
        if decided["outcome"] == "promote":
            return f"The canary is promoted. {text}"
        error = VersionFaultError if decided["fault"] else VerificationError
        raise error(f"The canary is rolled back; all requests go to the live version. {text}")
