"""What the process tasks hand to each other, and the items of days in the state table. All are plain JSON."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from include.pipelines.process.override import Override
from include.pipelines.process.unprocessed import UnprocessedEvents


class ProcessPlan(TypedDict):
    """What a run has to do."""

    days: dict[str, str]
    """Day (ISO) → fingerprint of its inputs and of the code (``include.lake.fingerprint.day_fingerprint``)."""
    days_text: str
    """The days, separated by commas, as the jobs take them."""
    inputs: str
    """URI of the document that lists the raw objects to read (``include.lake.fingerprint.inputs_document``)."""
    submit_key: str
    planned_at: str
    """ISO 8601 UTC, read before the raw objects were listed: of two plans, the later one has seen at least as many."""
    code_sha: str
    rows: int
    """Records in the stream objects that the transform reads."""
    bytes: int
    """Their size, compressed."""


class ComparedPlan(ProcessPlan):
    """A plan with the published days that its days are compared with (``include.pipelines.process.recent``)."""

    recent: str
    """URI of the list."""
    recent_key: str
    """The first digits of the list's digest; part of the audit's submit key."""
    override: Override | None
    """What a person overrides with this run."""
    markers: dict[str, int]
    """Day → how many raw objects held events of it, counted before they were listed."""
    late: list[str]
    """Days of the late window (ISO) that are processed again: events of them arrived after they were processed."""
    unprocessed: UnprocessedEvents
    """Events of other days that no run has taken."""


class GateResult(TypedDict):
    """Which days of a transform run may be published."""

    run: str
    """The transform run that was audited: its submit key."""
    passed: list[str]
    refused: dict[str, str]
    """Day → reason."""
    warnings: list[str]
    """What a person should look at, each line with its day."""
    overridden: dict[str, Override]
    """Day → the override without which it would be refused."""


class DayOrigin(TypedDict):
    """What a day's rows were made from. Kept in the day's item and in the parameters of its catalog partitions."""

    run: str
    fingerprint: str
    code_sha: str
    planned_at: str


class DayItem(DayOrigin):
    """State item of a day (``include.lake.state_keys.day_key``)."""

    status: Literal["published", "refused"]
    reason: NotRequired[str]
    """Why the day was refused."""
    overridden: NotRequired[Override]
    """The override without which the day would be refused."""
    markers: NotRequired[int]
    """How many raw objects held events of the day when it was planned. More of them later hold late events."""


class EmptyDay(TypedDict):
    """State item of a day that is complete in raw and has no events (``include.lake.state_keys.day_key``)."""

    status: Literal["empty"]
    planned_at: str
    code_sha: str
    markers: int
    """0: any raw object with events of the day is late."""


class FinalDay(TypedDict):
    """What the wait for a day returns."""

    status: Literal["published", "refused", "empty"]
    run: str
    """The transform run; empty if there was none."""
