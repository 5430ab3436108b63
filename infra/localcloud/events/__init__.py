"""EventBridge: events reach the targets of the rules that match."""

from __future__ import annotations

from moto.events.models import events_backends

from infra.localcloud.events.models import EventsBackend
from infra.localcloud.install import Context, replace_backend


def install(context: Context) -> None:
    """Puts this backend into moto."""
    replace_backend(events_backends, EventsBackend, context)
