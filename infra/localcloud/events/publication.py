"""Events that services of AWS publish by themselves: to the targets of the rules of the default event bus."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from moto.events.models import events_backends

from infra.localcloud.events.delivery import changed_by, deliver
from infra.localcloud.events.models import EventsBackend
from infra.localcloud.install import StateOfBackends


def publish(
    state: StateOfBackends,
    account: str,
    region: str,
    source: str,
    detail_type: str,
    resources: list[str],
    detail: dict[str, Any],
) -> None:
    """Delivers an event to each target of each rule that it matches; when it returns, that is on disk.

    Args:
        state: Where the targets' backends are stored.
        account: The account of the bus.
        region: The region of the bus.
        source: The service, such as ``aws.s3``.
        detail_type: What happened.
        resources: The ARNs of what it happened to.
        detail: The event's own members.
    """
    backend: Any = events_backends[account][region]
    assert isinstance(backend, EventsBackend)
    event = backend.event(source, detail_type, resources, detail, datetime.now(UTC))
    for target in backend.targets(event):
        with ExitStack() as stack:
            for changed in changed_by(target, account, region):
                stack.enter_context(state.background(changed))
            deliver(target, dict(event), account, region)
