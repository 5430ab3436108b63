"""Trino's types of time, and how their values are kept in DuckDB.

DuckDB's TIMESTAMP stands for Trino's ``timestamp(3)`` and its TIMESTAMP WITH TIME ZONE for ``timestamp(3) with time
zone`` in UTC. Another precision or zone is part of the type, because DuckDB's values carry neither: the value lies in a
STRUCT whose only field is named after Trino's type. Such values compare, group and sort as their instants do.

A zone that differs from row to row (parsed text, a zone in a column) is a second field. Intervals are structs too:
milliseconds, or months.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

DAY_SECOND = "interval day to second"
YEAR_MONTH = "interval year to month"
INTERVALS = {DAY_SECOND: f'STRUCT("{DAY_SECOND}" BIGINT)', YEAR_MONTH: f'STRUCT("{YEAR_MONTH}" BIGINT)'}
_WRAPPED = re.compile(r'STRUCT\("timestamp\((\d)\)( with time zone)?(?: ([^"]+))?" [A-Z ]+?(, "?zone"? VARCHAR)?\)')
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


@dataclass(frozen=True)
class TimeType:
    """A date or timestamp type.

    Attributes:
        base: ``date`` or ``timestamp``.
        precision: The digits of a second.
        zone: The zone of all values of the type; None for a type without zone, "" if each value has its own.
    """

    base: str = "timestamp"
    precision: int = 3
    zone: str | None = None

    @property
    def plain(self) -> bool:
        """Whether DuckDB has the type."""
        return self.precision == 3 and self.zone in (None, "UTC")

    @property
    def plain_or_date(self) -> bool:
        """Whether DuckDB has the type, or it is a date."""
        return self.plain or self.base == "date"

    @property
    def field(self) -> str:
        """The name of the struct's field."""
        zoned = "" if self.zone is None else " with time zone"
        return f"timestamp({self.precision}){zoned}" + (f" {self.zone}" if self.zone else "")

    def duck(self) -> str:
        """Returns the DuckDB type."""
        if self.base == "date":
            return "DATE"
        inner = "TIMESTAMP" if self.zone is None else "TIMESTAMP WITH TIME ZONE"
        if self.plain:
            return inner
        return f'STRUCT("{self.field}" {inner}' + (', "zone" VARCHAR)' if self.zone == "" else ")")

    def trino(self) -> str:
        """Returns Trino's name of the type."""
        if self.base == "date":
            return "date"
        return f"timestamp({self.precision})" + ("" if self.zone is None else " with time zone")

    def held(self, value: str) -> str:
        """Returns the TIMESTAMP, DATE or TIMESTAMP WITH TIME ZONE in a value."""
        if self.plain_or_date:
            return value
        literal = re.fullmatch(rf"\{{'{re.escape(self.field)}': (CAST\('[^']*' AS TIMESTAMP\))\}}", value)
        return literal[1] if literal else f"struct_extract({value}, '{self.field}')"

    def utc(self, value: str) -> str:
        """Returns the instant of a value as a TIMESTAMP in UTC; the time itself of a value without zone."""
        held = self.held(value)
        if self.base == "date":
            return f"CAST({held} AS TIMESTAMP)"
        return held if self.zone is None else f"timezone('UTC', {held})"

    def wall(self, value: str) -> str:
        """Returns the time that a clock in the value's zone shows, as a DATE or TIMESTAMP."""
        if self.zone is None:
            return self.held(value)
        return at_zone(self.utc(value), self.zone_text(value))

    def zone_text(self, value: str) -> str:
        """Returns the text of a value's zone."""
        return f"struct_extract({value}, 'zone')" if self.zone == "" else f"'{self.zone}'"

    def of_utc(self, instant: str, zone: str = "") -> str:
        """Makes a value of the type.

        Args:
            instant: The DuckDB text of a TIMESTAMP in UTC, or of the time itself for a type without zone.
            zone: The text of the value's zone, if the type's values have each their own.
        """
        if self.base == "date":
            return f"CAST({instant} AS DATE)"
        held = instant if self.zone is None else f"timezone('UTC', {instant})"
        if self.plain:
            return held
        zoned = f", 'zone': {zone}" if self.zone == "" else ""
        if instant.startswith("CAST('"):
            return f"{{'{self.field}': {held}{zoned}}}"
        return f"CASE WHEN {instant} IS NULL THEN NULL ELSE {{'{self.field}': {held}{zoned}}} END"

    def of_wall(self, local: str, zone: str = "") -> str:
        """Makes a value from the time that a clock in its zone shows."""
        if self.zone is None:
            return self.of_utc(local)
        return self.of_utc(from_zone(local, zone or f"'{self.zone}'"), zone)

    def with_precision(self, precision: int) -> TimeType:
        """Returns the type with another precision."""
        return self if self.base == "date" else replace(self, precision=precision)


DATE = TimeType("date", 0)


def time_type(duck: str | None) -> TimeType | None:
    """Returns the type of time for which a DuckDB type stands; None for every other type."""
    if duck is None:
        return None
    if duck == "DATE":
        return DATE
    if duck in ("TIMESTAMP", "TIMESTAMP_MS"):
        return TimeType()
    if duck == "TIMESTAMP WITH TIME ZONE":
        return TimeType(zone="UTC")
    if matched := _WRAPPED.fullmatch(duck):
        own_zone = "" if matched[4] else "UTC"
        return TimeType(precision=int(matched[1]), zone=(matched[3] or own_zone) if matched[2] else None)
    return None


def interval_type(duck: str | None) -> str | None:
    """Returns the name of the interval type for which a DuckDB type stands; None for every other type."""
    return next((name for name, found in INTERVALS.items() if found == duck), None)


def offset_minutes(zone: str) -> int | None:
    """Returns the minutes of a zone such as ``+05:30``; None for a named zone."""
    matched = _OFFSET.fullmatch(zone)
    if not matched:
        return None
    return (1 if matched[1] == "+" else -1) * (int(matched[2]) * 60 + int(matched[3]))


def at_zone(instant: str, zone: str) -> str:
    """Returns the local TIMESTAMP of a TIMESTAMP in UTC; ``zone`` is DuckDB text."""
    if zone == "'UTC'":
        return instant
    minutes = offset_minutes(zone.strip("'"))
    if minutes is not None:
        return f"({instant} + to_minutes({minutes}))"
    return f"trino_at_zone({instant}, {zone})"


def from_zone(local: str, zone: str) -> str:
    """Returns the TIMESTAMP in UTC of a local TIMESTAMP; ``zone`` is DuckDB text."""
    if zone == "'UTC'":
        return local if local.startswith("CAST('") else f"CAST({local} AS TIMESTAMP)"
    minutes = offset_minutes(zone.strip("'"))
    if minutes is not None:
        return f"({local} - to_minutes({minutes}))"
    return f"trino_from_zone({local}, {zone})"
