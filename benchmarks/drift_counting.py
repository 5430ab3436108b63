"""Counts values as the monitor's queries do, with numpy; and corrupts them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from include.model.baseline import ABOVE, BELOW, MISSING, OTHER, UNKNOWN, Column, Counts
from include.pipelines.monitor.types import Moments

Values = np.ndarray  # float64 with NaN, or objects with None

# What another unit makes of a feature of flights.
UNITS: Mapping[str, Callable[[Values], Values]] = {
    "regional": lambda x: x * 100,  # a share in per cent
    "weekday": lambda x: x + 1,  # from 1
    "departure_minute": lambda x: x / 60,
    "distance": lambda x: x * 1.609344,
    "duration": lambda x: x / 60,
    "planned_speed": lambda x: x * 1.609344,
    "temperature": lambda x: (x - 32) * 5 / 9,
    "dew_point_spread": lambda x: x * 5 / 9,
    "humidity": lambda x: x / 100,
    "wind_north": lambda x: x * 1.609344,
    "wind_east": lambda x: x * 1.609344,
    "wind_speed": lambda x: x * 1.609344,
    "wind_gust": lambda x: x * 1.609344,
    "precipitation": lambda x: x * 25.4,
    "pressure": lambda x: x * 0.029530,
    "visibility": lambda x: x * 1.609344,
    "plane_age": lambda x: x * 12,
    "latitude": lambda x: x * math.pi / 180,
    "longitude": lambda x: x * math.pi / 180,
}
CORRUPTIONS = ("unit changed", "constant", "shuffled", "20 % missing")


def corrupted(name: str, values: Values, kind: str, seed: int) -> Values | None:
    """The values of a feature after an accident; None where the accident does not exist for it."""
    generator = np.random.default_rng(seed)
    if kind == "shuffled":
        return generator.permutation(values)
    changed = values.copy()
    if kind == "20 % missing":
        changed[generator.random(len(values)) < 0.2] = np.nan if values.dtype == np.float64 else None
    elif kind == "constant":
        present = values[~missing(values)]
        if not len(present):
            return None
        changed[:] = np.median(present) if values.dtype == np.float64 else sorted(present)[len(present) // 2]
    elif values.dtype != np.float64:  # another spelling
        return np.array([None if value is None else value.lower() + "-" for value in values], dtype=object)
    elif name not in UNITS:
        return None
    else:
        changed = UNITS[name](changed)
    return changed


def missing(values: Values) -> np.ndarray:
    """Which values are missing."""
    if values.dtype == np.float64:
        return np.isnan(values)
    return np.array([value is None for value in values], dtype=bool)


def counted(column: Column, values: Values) -> Counts:
    """Rows by bin."""
    if column["kind"] != "number":
        if column["kind"] == "text":
            absent = int(missing(values).sum())
            return {"present": len(values) - absent, MISSING: absent}
        listed = {text: str(index) for index, text in enumerate(column["values"])}
        known = set(column["known"])
        names = [
            MISSING if value is None else listed.get(value, OTHER if value in known else UNKNOWN) for value in values
        ]
        found, numbers = np.unique(np.array(names), return_counts=True)
        return {str(name): int(number) for name, number in zip(found, numbers, strict=True)}
    is_absent = np.isnan(values)
    present = values[~is_absent]
    inside = present[(present >= column["low"]) & (present <= column["high"])]
    bins = np.bincount(np.searchsorted(column["edges"], inside, side="right"), minlength=1)
    counts = {str(index): int(number) for index, number in enumerate(bins) if number}
    counts[BELOW], counts[ABOVE] = int((present < column["low"]).sum()), int((present > column["high"]).sum())
    counts[MISSING] = int(is_absent.sum())
    return counts


def moments(name: str, column: Column, rows: Mapping[str, Values]) -> Moments:
    """Mean, standard deviation and correlation, as the query computes them."""
    values = rows[name]
    found: Moments = {"mean": None, "spread": None, "correlation": None}
    if column["kind"] == "number":
        present = values[~np.isnan(values)]
        if len(present) > 1:
            found["mean"], found["spread"] = float(present.mean()), float(present.std(ddof=1))
    relation = column.get("relation")
    if relation is not None:
        pair = [_as_numbers(one, rows[one], relation) for one in (name, relation["with"])]
        both = ~np.isnan(pair[0]) & ~np.isnan(pair[1])
        left, right = pair[0][both], pair[1][both]
        if len(left) > 1 and left.std() > 0 and right.std() > 0:
            found["correlation"] = float(np.corrcoef(left, right)[0, 1])
    return found


def _as_numbers(name: str, values: Values, relation: Mapping[str, Any]) -> np.ndarray:
    if relation.get("of") != name:
        return values
    return np.array([relation["codes"].get(value, np.nan) for value in values], dtype=np.float64)


def columns_of(table: Mapping[str, Values], chosen: np.ndarray | slice, names: Sequence[str]) -> dict[str, Values]:
    """Some rows of some columns."""
    return {name: table[name][chosen] for name in names}
