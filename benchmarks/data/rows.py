"""Processed rows of the flights workload for benchmarks: one day's plausible values, again for every day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa

from include.workloads.declaration import Workload
from include.workloads.schema import processed_columns

FIRST = date(2013, 1, 1)
_NULLS = 0.03
_KINDS = {"double": pa.float64(), "bigint": pa.int64(), "boolean": pa.bool_(), "string": pa.string()}


def day_tables(workload: Workload, event_type: str, days: int, rows: int, unit: str) -> Iterator[tuple[date, pa.Table]]:
    """Yields the rows of each day.

    Args:
        workload: The flights workload.
        event_type: The event type.
        days: The number of days, from ``FIRST``.
        rows: Rows a day.
        unit: The unit of timestamps: ``us``, as Spark writes them, or ``ms``.
    """
    chance = np.random.default_rng(8)
    values = {name: _values(chance, name, kind, rows) for name, kind in processed_columns(workload, event_type)}
    seconds = np.sort(chance.integers(0, 86_400, rows))
    flights = [f"-UA-{number}-EWR-{number % 2400:04}" for number in range(rows)]
    for number in range(days):
        day = FIRST + timedelta(days=number)
        midnight = np.datetime64(datetime.combine(day, datetime.min.time()), "s")
        recorded = midnight + seconds.astype("timedelta64[s]")
        columns: dict[str, pa.Array] = {}
        for name, kind in processed_columns(workload, event_type):
            if name == "key":
                columns[name] = pa.array([f"{day}{flight}" for flight in flights])
            elif kind == "timestamp":
                late = np.timedelta64(1, "h") if name == "event_time" else np.timedelta64(0, "h")
                columns[name] = pa.array(recorded + late).cast(pa.timestamp(unit))
            else:
                columns[name] = values[name]
        yield day, pa.table(columns)


def _values(chance: np.random.Generator, name: str, kind: str, rows: int) -> pa.Array | None:
    missing = chance.random(rows) < (0 if name in ("airline_name", "arr_delay") else _NULLS)
    if kind == "timestamp" or name == "key":
        return None
    found: np.ndarray
    if kind == "string":
        found = chance.choice(["EWR", "JFK", "LGA"], rows)
    elif kind == "boolean":
        found = chance.random(rows) < 0.5
    elif kind == "bigint":
        found = chance.integers(0, 60, rows)
    else:
        found = chance.normal(1000, 50, rows) if name == "distance" else chance.uniform(1, 9, rows)
    return pa.array(found, mask=missing).cast(_KINDS[kind])
