"""A workload's raw data, its state table, and a plan of a backfill over them, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from include.lake import days as calendar
from include.lake import layout, state_keys
from include.lake.instants import format_instant
from include.pipelines.backfill.plan import PlanContext, plan_backfill
from include.pipelines.backfill.request import BackfillRequest, parse_request
from include.pipelines.backfill.types import BackfillPlan
from include.workloads import Workload
from tests.support.retrain_runs import SETTINGS, Objects, State

NOW = datetime(2013, 6, 1, tzinfo=UTC)
FORM: dict[str, Any] = {
    "from_date": "2013-03-01", "to_date": "2013-03-10", "chunk_days": 4, "concurrency": 1, "retrain_every": "never",
    "dry_run": False, "approve_above_usd": 5,
}  # fmt: skip
Succeeded = Callable[[str, str], bool]


def request(**changes: Any) -> BackfillRequest:
    """A checked form: ten days of March in chunks of four."""
    return parse_request({**FORM, **changes}, NOW)


def march(first: int, last: int) -> list[date]:
    """Days of March 2013."""
    return calendar.day_range(date(2013, 3, first), date(2013, 3, last))


def raw(workload: Workload, days: Iterable[date], objects: Objects | None = None, name: str = "1") -> Objects:
    """Raw data: an object with 900 records for each day, and a snapshot of each table."""
    objects, stream = objects or Objects(), workload.stream.name
    for day in days:
        key = layout.raw_stream_key(workload.name, stream, day, "shard-0", name)
        objects.put_once("raw", key, b"x" * 100, {"records": "900"})
        objects.put_once("lake", layout.marker_key(workload.name, stream, day, key), b"")
    for table in workload.tables:
        objects.put_once("raw", layout.raw_table_key(workload.name, table, NOW, 0), b"rows")
    return objects


def complete_to(workload: Workload, last: date) -> State:
    """A state table in which every source is complete up to the end of a day."""
    mark = {"watermark": format_instant(calendar.cutoff(last))}
    sources = (workload.stream.name, *workload.tables)
    return State({state_keys.watermark_key(workload.name, source): mark for source in sources})


def publish(plan: BackfillPlan, state: State, *days: str, status: str = "published", run: str = "t1") -> None:
    """Records that days of a plan were published, or refused, after it was made."""
    planned_at = format_instant(NOW + timedelta(minutes=1))
    for day in days:
        item = {"status": status, "run": run, "planned_at": planned_at, "fingerprint": plan["fingerprints"][day]}
        state.put(*state_keys.day_key(plan["workload"], date.fromisoformat(day)), {**item, "reason": "20 % <nulls>"})


def planned(
    workload: Workload, objects: Objects, state: State, succeeded: Succeeded = lambda *run: False, **changes: Any
) -> BackfillPlan:
    """The plan of the form with these changes; ``code`` and ``build`` stand for another build."""
    code, build = changes.pop("code", "shared"), changes.pop("build", "abc")
    context = PlanContext(workload, SETTINGS, objects, state, succeeded, NOW, build, code)
    return plan_backfill(request(**changes), "b", context)
