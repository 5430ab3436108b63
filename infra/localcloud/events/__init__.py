"""EventBridge: events, also those of S3, reach the targets of the rules that match; a clock starts schedules."""

from __future__ import annotations

from moto.events.models import events_backends

from infra.localcloud.events.clock import ScheduleClock
from infra.localcloud.events.models import EventsBackend
from infra.localcloud.events.objects import ObjectEvents
from infra.localcloud.install import Context, replace_backend
from infra.localcloud.s3 import installed_store


def install(context: Context) -> None:
    """Puts this backend into moto."""
    replace_backend(events_backends, EventsBackend, context)
    store = installed_store()
    store.observe(ObjectEvents(store, context.state).publish)
    context.background.loop("schedules", ScheduleClock(context).step)
