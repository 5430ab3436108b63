"""Events are recorded in stages, each for many events at once. A bug in one never reaches a request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from include.errors import NightjarError

log = logging.getLogger(__name__)


class ApartError(NightjarError):
    """What a stage raises to get these events one by one; it is no failure."""


class Stages:
    """Passes events to the stages.

    Args:
        on_failure: Called for every event that a stage failed to record, and for every batch that a stage failed to
            record although it recorded each event of it.
    """

    def __init__(self, on_failure: Callable[[], None]) -> None:
        self._on_failure = on_failure
        self._failed = False

    def record[Event](
        self,
        events: Sequence[Event],
        together: Sequence[Callable[..., None]],
        apart: Sequence[Callable[[Event], None]] = (),
    ) -> None:
        """Passes events to each stage.

        Args:
            events: The events.
            together: Stages that take all events, or raise because of one and take none. Then they get them one by one.
            apart: Stages that take one event.
        """
        failed: dict[int, Exception] = {}
        for stage in together:
            try:
                stage(*events)
            except ApartError:
                failed = {**_one_by_one(stage, events), **failed}
            except Exception as of_batch:
                found = _one_by_one(stage, events)
                failed = {**found, **failed}
                if not found:
                    self._report(of_batch)
        for stage in apart:
            failed = {**_one_by_one(stage, events), **failed}
        for error in failed.values():
            self._report(error)

    def _report(self, error: Exception) -> None:
        self._on_failure()
        if not self._failed:  # once: a bug in telemetry would otherwise log a traceback for every request
            self._failed = True
            log.error("Telemetry failed to record a request; further failures are only counted", exc_info=error)


def _one_by_one[Event](stage: Callable[[Event], None], events: Sequence[Event]) -> dict[int, Exception]:
    """Passes the events to a stage; returns the errors by the number of their event."""
    failed: dict[int, Exception] = {}
    for number, event in enumerate(events):
        try:
            stage(event)
        except Exception as error:
            failed[number] = error
    return failed
