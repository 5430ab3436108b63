"""The clock of EventBridge: starts the schedules of enabled rules.

When a rule was started is on disk before its targets receive anything: a start is never repeated, also after a kill.
Starts that a server missed while it was down are made up by one.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from moto.events.models import events_backends

from infra.localcloud.background import report_exception
from infra.localcloud.events.delivery import changed_by, deliver
from infra.localcloud.events.models import EventsBackend, is_schedule
from infra.localcloud.events.schedule import parse
from infra.localcloud.install import Context

_STEP_SECONDS = 0.5


class ScheduleClock:
    """Looks for due schedules. The server calls :meth:`step` twice a second.

    Args:
        context: The parts of the server that it uses.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def step(self) -> float:
        """Starts what is due; returns the seconds until the next look."""
        now = datetime.now(UTC)
        for regions in list(events_backends.values()):
            for backend in list(regions.values()):
                if isinstance(backend, EventsBackend):
                    self.start_due(backend, now)
        return _STEP_SECONDS

    def start_due(self, backend: EventsBackend, now: datetime) -> None:
        """Starts the rules of a backend that are due; one that fails stops no other."""
        for bus in list(backend.event_buses.values()):
            for rule in list(bus.rules.values()):
                if is_schedule(rule) and rule.state != "DISABLED":
                    try:
                        self._start(backend, rule, now)
                    except Exception:
                        report_exception(f"schedule {rule.name}")

    def _start(self, backend: EventsBackend, rule: Any, now: datetime) -> None:
        latest = parse(rule.scheduled_expression, self._context.config.schedule_minute)
        due = latest(datetime.fromtimestamp(rule.counted_from, UTC), datetime.fromtimestamp(rule.started_at, UTC), now)
        if due is None:
            return
        with self._context.state.background(backend):
            rule.started_at = due.timestamp()
        event = backend.event("aws.events", "Scheduled Event", [rule.arn], {}, due)
        for target in list(rule.targets):
            with ExitStack() as stack:
                for changed in changed_by(target, backend.account_id, backend.region_name):
                    stack.enter_context(self._context.state.background(changed))
                deliver(target, dict(event), backend.account_id, backend.region_name)
