"""Statistics of one day of one event type, small enough to keep with every published day.

They hold counts, shares and moments, and no value of a text column.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

import pandas as pd

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


def profile_day(frame: pd.DataFrame) -> DayProfile:
    """Computes the statistics of a day.

    Args:
        frame: The day's rows, with the columns of ``processed_columns``; a column may be missing.
    """
    common = {name for name, _ in COMMON_COLUMNS}
    columns = {str(name): _column(frame[name]) for name in frame.columns if name not in common}
    return {"rows": len(frame), "delay": _delay(frame), "columns": columns}


def delays(frame: pd.DataFrame) -> pd.Series[float]:
    """Returns the seconds from ``event_time`` to ``recorded_at`` of each row."""
    return (frame["recorded_at"] - frame["event_time"]).dt.total_seconds()


def _delay(frame: pd.DataFrame) -> list[float]:
    if frame.empty or not {"recorded_at", "event_time"} <= set(frame.columns):
        return []
    return [_short(value) for value in delays(frame).quantile([0.01, 0.5, 0.99])]


def _column(values: pd.Series[Any]) -> ColumnProfile:
    present = values.dropna()
    counts = present.value_counts()
    profile: ColumnProfile = {
        "nulls": _short(1 - len(present) / len(values)) if len(values) else 0.0,
        "distinct": len(counts),
        "top": _short(counts.iloc[0] / len(present)) if len(present) else 0.0,
    }
    if len(present) and pd.api.types.is_numeric_dtype(present) and not pd.api.types.is_bool_dtype(present):
        profile["mean"] = _short(present.mean())
        profile["std"] = _short(present.std(ddof=0))
    return profile


def _short(number: Any) -> float:
    return float(f"{float(number):.{_SIGNIFICANT}g}")
