"""The published days that the days of a process run are compared with: a document that the audit reads."""

from __future__ import annotations

from typing import TypedDict


class RecentDocument(TypedDict):
    """Where the statistics of published days lie, as of the moment at which the audit was submitted."""

    workload: str
    days: dict[str, str]
    """Day (ISO) → URI of the statistics that the audit of its published run wrote."""
