"""Compares a day with recent days: volume, freshness, nulls, constancy, distribution, spread.

The limits of the measures are in :mod:`include.workloads.comparison`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from statistics import median
from typing import NamedTuple

import numpy as np

from include.glue.day_profile import ColumnProfile, DayProfile, delays, has_delays
from include.glue.day_rows import DayRows
from include.glue.findings import Finding
from include.workloads.comparison import MINIMUM_DAYS, NEEDS_ALL_DAYS, RECENT_DAYS, ComparisonTuning, limits_of

_HALF = 0.5
_UNIFORM = 0.9  # a column with such a frequent value may well be constant on another day
_SPARE_SECONDS = 3600.0


class _Measure(NamedTuple):
    rule: str
    value: float
    text: str


def compare_day(
    event_type: str,
    role: str,
    day: date,
    rows: DayRows,
    profile: DayProfile,
    recent: Mapping[str, DayProfile],
    tunings: tuple[ComparisonTuning, ...],
) -> list[Finding]:
    """Compares one day of one event type with recent days.

    Args:
        event_type: The event type.
        role: Its role.
        day: The day.
        rows: The day's rows.
        profile: The day's statistics.
        recent: The statistics of recent days, by day (ISO). Days without rows are not compared.
        tunings: What the workload tunes.

    Returns:
        The findings; none when there are fewer than ``MINIMUM_DAYS`` recent days.
    """
    with_rows = {name: other for name, other in recent.items() if other["rows"]}
    if len(with_rows) < MINIMUM_DAYS or not profile["rows"]:
        return []
    against = f"on {len(with_rows)} recent days ({min(with_rows)} to {max(with_rows)})"
    found = []
    for measure in _measures(day, rows, profile, with_rows):
        name = f"{event_type}.{measure.rule}"
        limits = limits_of(name, role, tunings)
        if len(with_rows) < RECENT_DAYS and measure.rule.split("(")[0] in NEEDS_ALL_DAYS:
            limits = limits.only_warning()
        for severity, limit in (("critical", limits.critical), ("warning", limits.warning)):
            if limit is not None and measure.value >= limit:
                text = f"{event_type}: {measure.rule}: {measure.text} {against}"
                found.append(Finding(severity, name, f"{text}; measure {measure.value:.2f}, limit {limit:g}"))
                break
    return found


def _measures(day: date, rows: DayRows, profile: DayProfile, recent: Mapping[str, DayProfile]) -> Iterator[_Measure]:
    counts = [other["rows"] for other in recent.values()]
    yield _Measure("volume", _outside(profile["rows"], counts), f"{profile['rows']} rows, {_range(counts)}")
    same = [other["rows"] for name, other in recent.items() if date.fromisoformat(name).weekday() == day.weekday()]
    if len(same) > 1:
        text = f"{profile['rows']} rows, {_range(same)} on the same day of the week,"
        yield _Measure("weekday_volume", _outside(profile["rows"], same), text)
    yield from _freshness(rows, recent)
    for column, values in profile["columns"].items():
        others = [other["columns"][column] for other in recent.values() if column in other["columns"]]
        if len(others) >= MINIMUM_DAYS:
            yield from _column(column, values, others)


def _freshness(rows: DayRows, recent: Mapping[str, DayProfile]) -> Iterator[_Measure]:
    bounds = [other["delay"] for other in recent.values() if other["delay"]]
    if not bounds or not has_delays(rows):
        return
    low, high = min(low for low, _, _ in bounds) - _SPARE_SECONDS, max(high for _, _, high in bounds) + _SPARE_SECONDS
    seconds = delays(rows)
    share = float(((seconds < low) | (seconds > high)).mean())
    typical = f"{_hours(float(np.nanmedian(seconds)))} in the middle of the day's rows"
    text = f"{share:.1%} of the rows were recorded earlier than {_hours(low)} or later than {_hours(high)} after the"
    yield _Measure("freshness", share, f"{text} event ({typical}), which bounds what was seen")


def _column(name: str, values: ColumnProfile, others: list[ColumnProfile]) -> Iterator[_Measure]:
    emptiest = max(other["nulls"] for other in others)
    if emptiest > _HALF:
        return  # A column that is mostly null varies too much from day to day.
    lost = 1 - (1 - values["nulls"]) / (1 - emptiest)
    yield _Measure(f"nulls({name})", lost, f"{values['nulls']:.1%} are null, at most {emptiest:.1%}")
    if values["nulls"] > _HALF:
        return
    uniform = max(other["top"] for other in others)
    if uniform <= _UNIFORM:
        lost = 1 - (1 - values["top"]) / (1 - uniform)
        text = f"the most frequent value has {values['top']:.1%} of the rows, at most {uniform:.1%}"
        yield _Measure(f"constancy({name})", lost, text)
    if uniform < 1:
        yield from _numbers(name, values, others)


def _numbers(name: str, values: ColumnProfile, others: list[ColumnProfile]) -> Iterator[_Measure]:
    means = [other["mean"] for other in others if "mean" in other]
    deviations = [other["std"] for other in others if "std" in other]
    if "mean" not in values or len(means) < MINIMUM_DAYS:
        return
    low, high, widest = min(means), max(means), max(deviations)
    scale = high - low + widest / 4
    if scale > 0:
        distance = max(low - values["mean"], values["mean"] - high, 0.0) / scale
        text = f"the mean is {values['mean']:.6g}, from {low:.6g} to {high:.6g}"
        yield _Measure(f"distribution({name})", distance, text)
        text = f"the standard deviation is {values['std']:.6g}, usually {median(deviations):.6g}, at most {widest:.6g}"
        yield _Measure(f"spread({name})", values["std"] / (high - low + widest), text)


def _outside(rows: int, counts: list[int]) -> float:
    """How many times fewer than the fewest, or more than the most; below 1 inside the range."""
    return max(min(counts) / rows, rows / max(counts))


def _range(counts: list[int]) -> str:
    return f"from {min(counts)} to {max(counts)}"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h"
