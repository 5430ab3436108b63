"""The flights of 2013 as rows of features, joined as the transform joins them, without a lake."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from include.lake.instants import parse_instant
from include.workloads import Workload, check_record, load
from include.workloads.flights.history import source
from include.workloads.schema import feature_column

LATE_MINUTES = 15


def rows(data: Path, start: date, end: date) -> pa.Table:
    """The flights that were scheduled in [start, end) and have landed, in the order of their departure."""
    workload = load("flights")
    code, spec = workload.feature_code(), workload.events["scheduled"].fields
    reference = _Reference(workload, source.tables(data))
    written: dict[str, tuple[datetime, dict[str, Any]]] = {}
    landed: dict[str, int] = {}
    for event in source.events(data, start, end + timedelta(days=2)):
        if event["event_type"] == "scheduled":
            record, problems = check_record(spec, event["payload"])
            if not problems:
                written[event["key"]] = parse_instant(event["event_time"]), record
        else:
            landed[event["key"]] = int(event["payload"]["arr_delay"] > LATE_MINUTES)
    found: list[dict[str, Any]] = []
    for key, (time, record) in written.items():
        if key not in landed or not start <= time.date() < end:
            continue
        values = code.features({**record, **reference.joined(record, time)})
        computed = {feature_column(name): value for name, value in values.items()}
        found.append({"key": key, "event_time": time, "label": landed[key], **computed})
    found.sort(key=lambda row: (row["event_time"], row["key"]))
    kinds = [
        (feature_column(name), pa.string() if kind == "category" else pa.float64())
        for name, kind in workload.features.items()
    ]
    columns = [("key", pa.string()), ("event_time", pa.timestamp("ms", "UTC")), ("label", pa.int32()), *kinds]
    return pa.Table.from_pylist(found, pa.schema(columns))


class _Reference:
    """The joined tables, each sorted by when its rows are valid and known."""

    def __init__(self, workload: Workload, tables: Mapping[str, Any]) -> None:
        self._workload = workload
        self._found: dict[str, dict[tuple[Any, ...], tuple[list[datetime], list[dict[str, Any]]]]] = {}
        for join in workload.joins:
            spec = workload.tables[join.table]
            grouped: dict[tuple[Any, ...], list[tuple[datetime, dict[str, Any]]]] = {}
            for row in tables[join.table]:
                clean = {name: row[name] for name in join.fields}
                problems = check_record({name: spec.fields[name] for name in join.fields}, clean)[1]
                if not problems:
                    usable = max(row[spec.valid_from], row[spec.watermark]).astimezone(UTC)
                    grouped.setdefault(tuple(row[name] for name in join.on), []).append((usable, clean))
            self._found[join.table] = {
                key: ([time for time, _ in versions], [clean for _, clean in versions])
                for key, group in grouped.items()
                if (versions := sorted(group, key=lambda version: version[0]))
            }

    def joined(self, record: Mapping[str, Any], time: datetime) -> dict[str, Any]:
        """The joined fields of a record, as known ``lead`` before an instant."""
        result: dict[str, Any] = {}
        for join in self._workload.joins:
            key = tuple(record[name] for name in join.on.values())
            times, versions = self._found[join.table].get(key, ([], []))
            index = bisect_right(times, time - join.lead) - 1
            clean = versions[index] if index >= 0 else dict.fromkeys(join.fields)
            result |= {f"{join.prefix}{name}": clean[name] for name in join.fields}
        return result
