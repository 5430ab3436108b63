"""Statistics of one day of one event type, small enough to keep with every published day.

They hold counts, shares and moments, and no value of a text column.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.glue.day_rows import DayRows
from include.workloads.schema import COMMON_COLUMNS

_SIGNIFICANT = 9  # digits that are kept of a number


class ColumnProfile(TypedDict):
    """One column. ``mean`` and ``std`` are of numeric columns, and of their values that are not null."""

    nulls: float
    """Share of the rows, 0 to 1."""
    distinct: int
    """Distinct values, without null."""
    top: float
    """Share of the most frequent value in the values that are not null."""
    mean: NotRequired[float]
    std: NotRequired[float]


class DayProfile(TypedDict):
    """One day of one event type."""

    rows: int
    delay: list[float]
    """Seconds from ``event_time`` to ``recorded_at``: the 1st, 50th and 99th percentile; empty without rows."""
    columns: dict[str, ColumnProfile]
    """The columns of ``processed_columns``, without key and times."""


def profile_day(day: DayRows) -> DayProfile:
    """Computes the statistics of a day, one column at a time.

    Args:
        day: The day's rows, with the columns of ``processed_columns``; a column may be missing.
    """
    common = {name for name, _ in COMMON_COLUMNS}
    columns = {name: _column(day.table([name]).column(0)) for name in day.names if name not in common}
    return {"rows": day.rows, "delay": _delay(day), "columns": columns}


def has_delays(day: DayRows) -> bool:
    """Whether the day has the columns of :func:`delays`."""
    return {"recorded_at", "event_time"} <= set(day.names)


def delays(day: DayRows) -> np.ndarray:
    """Returns the seconds from ``event_time`` to ``recorded_at`` of each row; NaN where one is null."""
    recorded, happened = (
        column.cast(pa.timestamp("us")) for column in day.table(["recorded_at", "event_time"]).columns
    )
    return pc.subtract(recorded, happened).cast(pa.int64()).to_numpy() / 1e6


def _delay(day: DayRows) -> list[float]:
    if not day.rows or not has_delays(day):
        return []
    return [_short(value) for value in np.nanquantile(delays(day), [0.01, 0.5, 0.99])]


def _column(values: pa.ChunkedArray) -> ColumnProfile:
    rows = len(values)
    if pa.types.is_floating(values.type):
        missing = pc.is_null(values, nan_is_null=True)
        values = pc.add(pc.if_else(missing, pa.scalar(None, values.type), values), 0.0)  # -0.0 becomes 0.0
    present = values.drop_null()
    counts = present.value_counts().field("counts") if len(present) else pa.array([])
    profile: ColumnProfile = {
        "nulls": _short(1 - len(present) / rows) if rows else 0.0,
        "distinct": len(counts),
        "top": _short(pc.max(counts).as_py() / len(present)) if len(present) else 0.0,
    }
    if len(present) and (pa.types.is_integer(present.type) or pa.types.is_floating(present.type)):
        numbers = present.cast(pa.float64())
        profile["mean"] = _short(pc.mean(numbers).as_py())
        profile["std"] = _short(pc.stddev(numbers, ddof=0).as_py())
    return profile


def _short(number: Any) -> float:
    return float(f"{float(number):.{_SIGNIFICANT}g}")
