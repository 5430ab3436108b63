"""``audit.json``: what an audit writes for the gate, and for people."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class EventStatistics(TypedDict):
    """Rows that were found and expectations that were not met; also the report's counts, if it has the day."""

    rows: int
    failed: int
    read: NotRequired[int]
    duplicates: NotRequired[int]
    quarantined: NotRequired[int]
    written: NotRequired[int]


class FoundDocument(TypedDict):
    """A finding: the expectation's name, its severity and what was found."""

    name: str
    severity: str
    text: str


class AuditedDay(TypedDict):
    """What the audit found on one day. ``success``: there is no critical failure."""

    success: bool
    critical_failures: list[str]
    warnings: list[str]
    findings: list[FoundDocument]
    """The same, with names. A person can override an expectation by its name."""
    notes: list[str]
    """What could not be checked, such as a comparison with too few days."""
    compared: list[str]
    """The days that the day was compared with."""
    statistics: dict[str, EventStatistics]


class AuditDocument(TypedDict):
    """``audit.json``: the findings of each day, what they were compared with, and the Data Docs' first page."""

    days: dict[str, AuditedDay]
    docs: str
    recent: str
