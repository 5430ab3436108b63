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
_NONE = np.array([], dtype=np.int64)


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
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        return _numbers(values.to_numpy())
    present = values.drop_null()
    return _profile(len(values), present.value_counts().field("counts").to_numpy() if len(present) else _NONE)


def _numbers(values: np.ndarray) -> ColumnProfile:
    """The profile of numbers, in which null is NaN."""
    present = values[~np.isnan(values)]
    profile = _profile(len(values), np.unique(present, return_counts=True)[1] if len(present) else _NONE)
    if len(present):
        profile["mean"] = _short(present.mean(dtype=np.float64))
        profile["std"] = _short(present.std(dtype=np.float64))
    return profile


def _profile(rows: int, counts: np.ndarray) -> ColumnProfile:
    """The profile that the number of rows and the counts of the distinct values make."""
    present = int(counts.sum())
    return {
        "nulls": _short(1 - present / rows) if rows else 0.0,
        "distinct": len(counts),
        "top": _short(counts.max() / present) if present else 0.0,
    }


def _short(number: Any) -> float:
    return float(f"{float(number):.{_SIGNIFICANT}g}")
