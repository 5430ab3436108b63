"""What makes a day of the stream complete: how the stream's watermark moves."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from include.lake.known import Clock
from include.workloads.fields import NAME
from include.workloads.strict import StrictModel


class CompleteSpec(StrictModel):
    """How the watermark of a stream moves whose producers' clocks are trusted (``clock: recorded_at``)."""

    by: Literal["watermark", "heartbeat", "quiet"] = Field(
        "watermark",
        description="watermark: the newest recorded_at; heartbeat: that of the newest heartbeat; quiet: the newest "
        "recorded_at, and after a quiet period the reader's clock less the period",
    )
    event: str | None = Field(
        None, pattern=NAME, description="heartbeat: the event type that only says up to when all was sent"
    )
    period: timedelta | None = Field(
        None, gt=timedelta(0), description="quiet: how long no record must have arrived (ISO 8601 duration)"
    )

    @model_validator(mode="after")
    def _fitting(self) -> CompleteSpec:
        for name, needed in (("event", "heartbeat"), ("period", "quiet")):
            if (getattr(self, name) is not None) != (self.by == needed):
                verb = "is missing" if self.by == needed else f"is only for by: {needed}"
                raise ValueError(f"{name} {verb}")
        return self


def complete_problems(spec: CompleteSpec, events: Collection[str], clock: Clock) -> Iterator[tuple[str, str]]:
    """Finds what of a declaration does not fit the rest of the workload.

    Args:
        spec: The declaration.
        events: The workload's event types.
        clock: The workload's clock.

    Yields:
        The field, and what is wrong.
    """
    if spec.event in events:
        yield "stream.complete.event", f"{spec.event} is in events; a heartbeat is not an event of the workload"
    if spec.by != "watermark" and clock == "arrived_at":
        text = f"{spec.by} is only for clock: recorded_at; by the other a day is complete once ingest_stream has run"
        yield "stream.complete.by", text
