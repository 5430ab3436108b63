"""Nights of the tiny workload in memory: real ingestion, planning, query and manifest; the transform only parses."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from include.errors import NothingToDoError, RefusedError
from include.glue.records import ParsedEvent, parse_event
from include.lake import resources, state_keys
from include.lake.days import cutoff, utc_date
from include.lake.instants import format_instant, parse_instant
from include.pipelines.ingest.shard import ShardIngest
from include.pipelines.ingest.target import StreamTarget
from include.pipelines.ingest.watermark import advance_watermark
from include.pipelines.process.plan import PlanRequest
from include.pipelines.process.recent import plan_and_compare
from include.pipelines.process.types import ComparedPlan
from include.pipelines.retrain import RetrainHooks, plan_dataset, prepare
from include.sql import dataset_digest, dataset_select
from include.workloads import Workload
from tests.support.ecs_in_memory import EcsInMemory
from tests.support.histories import AdvancingState, Reader, Record
from tests.support.packages import Registry
from tests.support.retrain_runs import SETTINGS, Objects
from tests.support.sql_engine import Engine

START = datetime(2013, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Event(NamedTuple):
    """An event, and when it arrives."""

    arrives: datetime
    event_type: str
    key: str
    event_time: datetime
    recorded_at: datetime
    payload: dict[str, Any]


class Dataset(NamedTuple):
    """A data set that a night has built."""

    rows: list[tuple[Any, ...]]
    version: str


class Nights:
    """A lake, and the runs of its DAGs."""

    def __init__(self, workload: Workload, events: Iterable[Event]) -> None:
        self.workload = workload
        self.objects, self.state, self.engine = Objects(), AdvancingState(), Engine(workload)
        self.state.put(*state_keys.watermark_key("shop", "makers"), {"watermark": format_instant(START + 99 * DAY)})
        self.records = [_record(number, event) for number, event in enumerate(sorted(events), 1)]
        self.runs = itertools.count()

    # --- RecordSource ---------------------------------------------------------------------------------------------

    def reader(self, stream: str, shard_id: str, until: datetime) -> Reader:
        return Reader(self.records, until)

    # --- the DAGs -------------------------------------------------------------------------------------------------

    def ingest(self, until: datetime) -> None:
        """Reads what arrived before an instant, and moves the watermark."""
        target = StreamTarget("shop", self.workload.stream.name, SETTINGS.data_buckets, self.workload.clock, 3)
        stores: Any = {"objects": self.objects, "state": self.state}
        summary = ShardIngest(target, "shard-0", until, source=self, **stores).run()  # type: ignore[arg-type]
        with contextlib.suppress(NothingToDoError):
            advance_watermark(self.workload, [[summary]], until, None, buckets=SETTINGS.data_buckets, **stores)

    def process(self, *days: date) -> ComparedPlan | None:
        """Processes days with what a run takes along, and publishes them; None if there is nothing to process."""
        request = PlanRequest(days, datetime(2026, 1, 1, tzinfo=UTC), "sha", "code")
        stores: Any = {"objects": self.objects, "state": self.state}
        try:
            plan = plan_and_compare(self.workload, request, None, SETTINGS, **stores)
        except NothingToDoError:
            return None
        document: Any = self.objects.get_json("artifact", plan["inputs"].removeprefix("s3://artifact/"))
        lines = [line for item in document["stream_objects"] for line in self._lines(item["key"])]
        run = f"run-{next(self.runs)}"
        for day, fingerprint in plan["days"].items():
            self._publish(day, lines)
            item = {"status": "published", "run": run, "fingerprint": fingerprint, "markers": plan["markers"][day]}
            self.state.put(*state_keys.day_key("shop", date.fromisoformat(day)), item)
        return plan

    def dataset(self, day: date) -> Dataset:
        """Builds the data set of a night.

        Raises:
            RefusedError: It is refused.
        """
        plan = plan_dataset(self.workload, day, SETTINGS, "sha", self.state, datetime(2026, 1, 1, tzinfo=UTC))
        at = cutoff(day)
        rows = sorted(tuple(row.values()) for row in self.engine.query(dataset_select(self.workload, "nightjar", at)))
        digests = {row["split"]: row for row in self.engine.query(dataset_digest(self.workload, "nightjar", at))}
        # Enough rows of both classes, so that no gate refuses a small data set; the digests are the real ones.
        summaries = [
            {"split": split, "row_count": "9", "positives": "3", "digest": digests.get(split, {}).get("digest", "0")}
            for split in ("train", "validation", "test")
        ]
        hooks = RetrainHooks(self.objects, self.state, Registry(), EcsInMemory())
        prepared = prepare(self.workload, plan, "key", summaries, SETTINGS, hooks, is_backfill=False, fresh=False)
        return Dataset(rows, prepared["dataset_version"])

    def night(self, day: date) -> Dataset | None:
        """The runs of one night, once the day is complete in raw; None if the data set is refused."""
        until = cutoff(day) + timedelta(minutes=30)
        self.ingest(until)
        while not self._is_complete(day):
            until += timedelta(hours=1)
            self.ingest(until)
        self.process(day)
        try:
            return self.dataset(day)
        except RefusedError:
            return None

    def _is_complete(self, day: date) -> bool:
        """What the process run waits for."""
        item = self.state.get(*state_keys.watermark_key("shop", self.workload.stream.name))
        return item is not None and parse_instant(item["watermark"]) >= cutoff(day)

    # --- what the data set must have ------------------------------------------------------------------------------

    def parsed(self) -> list[ParsedEvent]:
        """Every event that is in raw now."""
        days = frozenset(str(utc_date(START + offset * DAY)) for offset in range(-5, 40))
        keys = [key for bucket, key in self.objects.bodies if key.startswith("raw/shop/nightjar-shop/")]
        return [found for key in keys for line in self._lines(key) if (found := self._parse(line, days))]

    def _lines(self, key: str) -> list[str]:
        return gzip.decompress(self.objects.bodies["raw", key]).decode().splitlines()

    def _parse(self, line: str, days: frozenset[str]) -> ParsedEvent | None:
        schemas = {name: event.fields for name, event in self.workload.events.items()}
        return parse_event(line, schemas, self.workload.clock, days)

    def _publish(self, day: str, lines: list[str]) -> None:
        for event_type in self.workload.events:
            table = resources.table_name("shop", event_type)
            self.engine.connection.execute(f"delete from nightjar.{table} where event_date = '{day}'")
        for line in lines:
            event = self._parse(line, frozenset({day}))
            if event is None:
                continue
            assert event.reason is None, event.reason
            payload = json.loads(event.payload or "{}")
            times = {
                name: str(getattr(event, name)) for name in ("event_time", "known_at", "recorded_at", "arrived_at")
            }
            self.engine.insert(event.event_type, [{"key": event.key, **times, **payload}])


def _record(number: int, event: Event) -> Record:
    sent = {
        "event_type": event.event_type,
        "key": event.key,
        "event_time": format_instant(event.event_time),
        "recorded_at": format_instant(event.recorded_at),
        "payload": event.payload,
    }
    return Record(str(number), event.arrives, json.dumps(sent).encode(), event.recorded_at)
