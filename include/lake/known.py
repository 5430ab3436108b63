"""When a record became known: one rule for the events of a stream and the rows of a table (docs/adr/0017)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from include.lake.instants import format_instant, parse_instant

# The user metadata of a raw object of a table that holds the fields of KnownFrom.
_RECORDED, _ARRIVED = "known-by-recorded-at", "known-by-arrived-at"

Clock = Literal["recorded_at", "arrived_at"]
"""Whose time a workload takes: that of the producer who recorded it, or that of the arrival."""


def known_at(clock: Clock, recorded_at: datetime, arrived_at: datetime, watermark: datetime | None) -> datetime:
    """Returns the instant from which a record counts as known.

    The watermark decides last. Once a source is complete up to an instant, data sets of that instant are built. What is
    read afterwards was not in them, whatever its time stamps say, so it must not be in them when they are built again.

    Args:
        clock: The workload's clock. ``recorded_at`` trusts the producer, but never beyond the arrival.
        recorded_at: When the producer recorded it. For a row: its watermark column.
        arrived_at: When it arrived. For a row: the snapshot that it was read in.
        watermark: The source's watermark when the record was read; None if it had none yet.
    """
    known = version_time(clock, recorded_at, arrived_at)
    return known if watermark is None else max(known, watermark)


def version_time(clock: Clock, recorded_at: datetime, arrived_at: datetime) -> datetime:
    """Returns the instant by which versions of one thing are ordered: of those that are known, the latest counts."""
    return min(recorded_at, arrived_at) if clock == "recorded_at" else arrived_at


class KnownFrom(NamedTuple):
    """The earliest instant from which any of some records counts as known, by each clock that a workload can have."""

    recorded_at: datetime
    arrived_at: datetime

    @classmethod
    def of(cls, recorded_at: datetime, arrived_at: datetime, watermark: datetime | None) -> KnownFrom:
        """Returns those of one record. The arguments are those of :func:`known_at`."""
        return cls(
            known_at("recorded_at", recorded_at, arrived_at, watermark),
            known_at("arrived_at", recorded_at, arrived_at, watermark),
        )

    def by(self, clock: Clock) -> datetime:
        """Returns the instant by one clock."""
        return self.recorded_at if clock == "recorded_at" else self.arrived_at


def earliest(first: KnownFrom, second: KnownFrom) -> KnownFrom:
    """Returns the earlier instant by each clock."""
    return KnownFrom(min(first.recorded_at, second.recorded_at), min(first.arrived_at, second.arrived_at))


def to_metadata(known_from: KnownFrom) -> dict[str, str]:
    """Returns the instants as user metadata of an S3 object."""
    return {_RECORDED: format_instant(known_from.recorded_at), _ARRIVED: format_instant(known_from.arrived_at)}


def from_metadata(metadata: Mapping[str, str]) -> KnownFrom | None:
    """Returns the instants that :func:`to_metadata` wrote, or None if the object has none."""
    if _RECORDED not in metadata:
        return None
    return KnownFrom(parse_instant(metadata[_RECORDED]), parse_instant(metadata[_ARRIVED]))
