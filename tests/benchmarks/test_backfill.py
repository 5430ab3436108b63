"""The rows of ``make bench-backfill``, and what of the stack it changes."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import backfill_days
from benchmarks.backfill import Measured, compare
from infra.laptop.config import LaptopError

FIRST = date(2013, 1, 1)


def measured(days: int, chunk: int, seconds: float, jobs: int = 2, **report: Any) -> Measured:
    """A backfill of so many days."""
    return Measured(FIRST, FIRST + timedelta(days=days - 1), chunk, seconds, 1.0, jobs, report or None)


def verdicts(single: float, year: float, error: float | None, again: int) -> list[str]:
    """The verdicts, if eight days of the sample took ``single`` seconds each, and a year in chunks ``year``."""
    half = measured(4, 1, 4 * single)
    whole = measured(365, 31, year, seconds_error=error, estimate={"seconds": None, "basis": "b"})
    rows = compare([half, half], [measured(8, 8, 60)], [whole], [measured(365, 31, 5, again)])
    return [row.verdict for row in rows]


def test_all_three_targets_decide() -> None:
    assert verdicts(40, 365 * 40 / 5, -0.25, 0) == ["met", "met", "met"]
    assert verdicts(40, 365 * 40 / 4.9, 0.26, 1) == ["MISSED", "MISSED", "MISSED"]


def test_an_estimate_that_was_unknown_is_no_success() -> None:
    assert verdicts(40, 600, None, 0)[1] == "MISSED"


def test_what_is_scaled_is_called_so() -> None:
    half = measured(4, 1, 160)
    whole = measured(365, 31, 600, seconds_error=0.1, estimate={})
    note = compare([half, half], [measured(8, 8, 60)], [whole], [measured(365, 31, 5, 0)])[0].note
    assert "8 days took 40.0 s each" in note and "14600 s, which is SCALED" in note


def test_a_stack_that_has_processed_days_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {FIRST + timedelta(days=1): {"status": "published"}}
    monkeypatch.setattr(backfill_days.registry, "day", lambda aws, table, workload, day: known.get(day))
    connection: Any = SimpleNamespace(aws=None, state_table="t")
    days = [FIRST + timedelta(days=offset) for offset in range(3)]
    with pytest.raises(LaptopError, match="1 of the days are processed already, the first is 2013-01-02"):
        backfill_days.require_none_processed(connection, "w", days)
    backfill_days.require_none_processed(connection, "w", days[:1])


def test_only_the_given_days_are_forgotten() -> None:
    deleted: list[Any] = []
    dynamodb = SimpleNamespace(delete_item=lambda **call: deleted.append(call["Key"]["sk"]["S"]))
    connection: Any = SimpleNamespace(aws=SimpleNamespace(dynamodb=dynamodb), state_table="t")
    backfill_days.forget(connection, "w", [FIRST])
    assert deleted == ["2013-01-01"]
