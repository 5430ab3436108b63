"""A monitor run's plan, baseline and query results, as a test makes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from include.model.baseline import FORMAT, Baseline, Column
from include.pipelines.monitor.types import MonitorPlan

PLAN: MonitorPlan = {
    "window_start": "2013-03-10T10:00:00.000000Z",
    "window_end": "2013-03-11T10:00:00.000000Z",
    "period_start": "2013-03-04T10:00:00.000000Z",
    "days": ["2013-03-10"],
    "version": 3,
    "model_cutoff": "2013-03-10T00:00:00.000000Z",
    "data_clock": "2013-03-11T12:00:00.000000Z",
    "baseline_key": "monitor/shop/baselines/b.json",
    "baseline_sha256": "b" * 64,
    "lake_query": "",
    "lake_key": "",
    "log_query": "",
    "log_key": "",
}


def number(**more: Any) -> Column:
    """A number with ten equally full bins."""
    counts = {str(index): 1000 for index in range(10)}
    edges = [float(index) for index in range(1, 10)]
    return {"kind": "number", "counts": counts, "edges": edges, "low": -2.0, "high": 12.0, **more}  # type: ignore[typeddict-item]


def baseline(*features: str) -> Baseline:
    """A baseline of features that are numbers, and of the fields ``price`` and ``item`` of requests."""
    item: Column = {"kind": "category", "counts": {"0": 9000, "1": 1000}, "values": ["a", "b"], "known": ["a", "b"]}
    return {
        "format": FORMAT,
        "rows": 10_000,
        "block_days": 1,
        "features": {name: number() for name in features},
        "fields": {"price": number(), "item": item},
        "score": number(),
        "label": {"rows": 10_000, "positives": 2000, "range": (0.1, 0.3)},
    }


def entry(measure: str, text: str, rows: int) -> dict[str, str | None]:
    """A row of a query's result."""
    return {"measure": measure, "entry": text, "row_count": str(rows)}


def evenly(index: int, rows: int = 500) -> Iterator[dict[str, str | None]]:
    """The rows of a column whose bins are equally full."""
    for name in range(10):
        yield entry("bin", f"{index}:{name}", rows // 10)
    yield entry("moments", f"{index}|5.0E0|2.9E0|", rows)
