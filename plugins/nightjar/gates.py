"""The gate between audit and publish. It fails closed: a day passes only if the audit says so in so many words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Judgement(NamedTuple):
    """Days that may be published, and day → reason for the others."""

    passed: list[str]
    refused: dict[str, str]


def judge(audit: Any, days: Sequence[str]) -> Judgement:
    """Judges each of ``days`` by the audit's document (``None``: there is none)."""
    reasons = {day: _reason(audit, day) for day in days}
    return Judgement(
        [day for day in days if not reasons[day]], {day: reason for day, reason in reasons.items() if reason}
    )


def _reason(audit: Any, day: str) -> str:
    """Why this day is refused; "" where it is not."""
    if audit is None:
        return "the audit left no result"
    if not isinstance(audit, Mapping) or not isinstance(audit.get("days"), Mapping):
        return "the audit's result is unreadable: it has no days"
    result = audit["days"].get(day)
    if not isinstance(result, Mapping):
        return "the audit's result does not hold this day"
    failures = result.get("critical_failures")
    if not isinstance(failures, list):
        return "the audit's result is unreadable: critical_failures is not a list"
    if failures:
        return "critical expectations failed: " + "; ".join(map(str, failures))
    if result.get("success") is not True:
        return f"the audit did not succeed: success is {result.get('success')!r}"
    return ""
