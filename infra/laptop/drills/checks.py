"""The checks outside Airflow: the dead-man check with another clock, and the deadline check that does not run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from infra.lambdas.dead_man import main as dead_man
from infra.laptop.aws import operator_key_file
from infra.laptop.bootstrap import deadlines
from infra.laptop.bootstrap.definitions import definition
from infra.laptop.config import REGION, LaptopError
from infra.laptop.drills.cause import Cause
from infra.laptop.stages import STATE_TABLE

_LATER = timedelta(days=4)  # more than a model and a published day may be old


class LateClock(Cause):
    """The code of the function ``nightjar-dead-man``, to which it is four days later.

    The laptop has no schedule for the function: the drill calls it.
    """

    def prepare(self) -> None:
        """Publishes ages below the thresholds, with the clock of the older of both.

        Raises:
            LaptopError: No day was published, or no model registered.
        """
        self._publish(self._fresh_clock())

    def begin(self) -> None:
        """Publishes the ages of four days later."""
        self._publish(datetime.now(UTC) + _LATER)

    def end(self) -> None:
        """Publishes ages below the thresholds."""
        self._publish(self._fresh_clock())

    def _publish(self, now: datetime) -> dict[str, float]:
        with _operator(self):
            return dead_man.check(STATE_TABLE, [self.target.workload.name], now)

    def _fresh_clock(self) -> datetime:
        now = datetime.now(UTC)
        ages = self._publish(now)
        if len(ages) < 2:
            raise LaptopError(
                f"{self.target.workload.name} has published no day, or registered no model: then this alarm is right. "
                "Run `make run` first."
            )
        return now - timedelta(hours=max(0.0, *ages.values()))


@contextmanager
def _operator(cause: Cause) -> Iterator[None]:
    """The environment of a function: boto3's default clients talk to the local cloud."""
    key = json.loads(operator_key_file(cause.target.config).read_text())
    environment = {
        "AWS_ENDPOINT_URL": cause.target.config.endpoint,
        "AWS_ACCESS_KEY_ID": key["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
        "AWS_DEFAULT_REGION": REGION,
    }
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class SilentDeadlines(Cause):
    """The schedule of the deadline check is disabled. During the drill it else runs every minute, not every 15."""

    def prepare(self) -> None:
        """Lets the check run every minute."""
        self._schedule("rate(1 minute)", "ENABLED")

    def begin(self) -> None:
        """Disables the schedule."""
        self._schedule("rate(1 minute)", "DISABLED")

    def end(self) -> None:
        """Lets it run again; the schedule is put back as it was when the drill is over."""
        self._schedule("rate(1 minute)", "ENABLED")

    def close(self) -> None:
        """Puts the schedule back."""
        self._schedule(definition("deadlines")["ScheduleExpression"], "ENABLED")

    def _schedule(self, expression: str, state: str) -> None:
        self.target.aws.events.put_rule(Name=deadlines.NAME, ScheduleExpression=expression, State=state)
