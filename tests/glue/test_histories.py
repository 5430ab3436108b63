"""Whatever arrives afterwards: a night's data set never changes, and nothing in it was written after its cut-off.

Many random histories as one batch: real ingestion into a lake in memory, the real transform in Spark, the real query.
"""

from __future__ import annotations

import itertools
import json
import logging
import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.lake.days import cutoff
from include.lake.instants import parse_instant
from include.lake.resources import table_name
from include.pipelines.retrain import RetrainHooks, plan_dataset, prepare
from include.sql import dataset_digest, dataset_select
from include.workloads import Workload
from tests.support.ecs_in_memory import EcsInMemory
from tests.support.expected_datasets import LEAD, events_of, expected_rows, is_in_time
from tests.support.histories import BUCKETS, CUTOFF, FIRST_DAY, History
from tests.support.packages import Registry
from tests.support.raw_objects import write_inputs
from tests.support.retrain_runs import SETTINGS, Objects, State
from tests.support.sql_engine import Engine
from tests.support.tiny_workload import tiny_workload

pytestmark = pytest.mark.spark
HISTORIES = 400
NIGHT = (CUTOFF - timedelta(days=1)).date()
DAYS = [(FIRST_DAY + timedelta(days=offset)).date() for offset in range(5)]
DIGEST_ROWS = [
    {"split": split, "row_count": "100", "positives": "50", "digest": "1"} for split in ("train", "validation", "test")
]
Rows = dict[str, set[tuple[Any, ...]]]


class Processed:
    """The processed tables, published day by day from transform runs."""

    def __init__(self, spark: Any, workload: Workload, folder: Path) -> None:
        self.spark, self.workload, self.folder = spark, workload, folder
        self.engine = Engine(workload)
        self.runs = itertools.count()

    def publish(self, days: list[date], stream: list[str], makers: list[str]) -> None:
        """Transforms raw lines and publishes the days instead of what was published of them before."""
        from include.glue.transform import transform

        folder = self.folder / str(next(self.runs))
        chunks = {"makers": [makers[0::2], makers[1::2]]}
        inputs = write_inputs(folder, days, [stream[0::3], stream[1::3], stream[2::3]], chunks)
        report = transform(self.spark, self.workload, days, inputs, f"file://{folder}/staging/", f"file://{folder}/q/")
        assert not report["reasons"], "the histories have only valid rows"
        for event_type, day in itertools.product(self.workload.events, days):
            table, files = table_name("shop", event_type), f"{folder}/staging/{event_type}/event_date={day}/*.parquet"
            self.engine.connection.execute(f"delete from nightjar.{table} where event_date = '{day}'")
            self.engine.connection.execute(
                f"insert into nightjar.{table} select *, '{day}' from read_parquet('{files}', hive_partitioning=false)"
            )

    def rows(self) -> Rows:
        """The data set's rows by history."""
        found: Rows = defaultdict(set)
        for row in self.engine.query(dataset_select(self.workload, "nightjar", CUTOFF)):
            at = row["event_time"].replace(tzinfo=UTC)
            values = (row["key"], at, row["label"], row["price"], row["maker_name"])
            found[row["key"].split("-")[0]].add(values)
        return found

    def digests(self) -> list[dict[str, Any]]:
        return self.engine.query(dataset_digest(self.workload, "nightjar", CUTOFF))


def manifest(history: History, keys: Iterable[tuple[str, str]]) -> Any:
    """The manifest of the data set, made when the lake has these objects."""
    days = {("day#shop", day.isoformat()): {"status": "published", "run": "r"} for day in DAYS}
    objects, state = Objects(), State(days)
    objects.bodies = {place: history.objects.bodies[place] for place in keys}
    objects.user_metadata = history.objects.user_metadata
    plan = plan_dataset(history.workload, NIGHT, SETTINGS, "sha", state, datetime(2026, 1, 1, tzinfo=UTC))
    hooks = RetrainHooks(objects, state, Registry(), EcsInMemory())
    prepare(history.workload, plan, "key", DIGEST_ROWS, SETTINGS, hooks, is_backfill=False, fresh=False)
    (document,) = objects.keys("artifact", "datasets/")
    return objects.get_json("artifact", document)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("clock", "initial_load"),
    [("recorded_at", None), ("arrived_at", None), ("recorded_at", date(2013, 3, 6))],
    ids=["recorded", "arrived", "loaded"],
)
def test_a_nights_data_set_never_changes(
    spark, tmp_path: Path, caplog: pytest.LogCaptureFixture, clock: str, initial_load: date | None
) -> None:
    caplog.set_level(logging.ERROR)  # thousands of crashes are repaired
    changes: dict[str, Any] = {"tables__makers__initial_load": initial_load.isoformat()} if initial_load else {}
    workload = tiny_workload(tmp_path / "workloads", clock=clock, **changes)
    histories = [History(workload, number) for number in range(HISTORIES)]
    for history in histories:
        history.ingest()
    processed = Processed(spark, workload, tmp_path)

    def lines(source: str, *, first: bool) -> list[str]:
        return [line for h in histories for line in h.lines(source, h.first_build if first else None)]

    processed.publish(DAYS, lines("nightjar-shop", first=True), lines("makers", first=True))
    first, digests = processed.rows(), processed.digests()

    # Everything else arrives; the days are processed again, in another order, from objects in another order.
    stream, makers = lines("nightjar-shop", first=False), lines("makers", first=False)
    makers += makers[::7]  # a crash before the table's watermark writes its rows again
    for values in (stream, makers):
        random.Random(0).shuffle(values)
    for days in (DAYS[3:], DAYS[:3]):
        processed.publish(days, stream, makers)
    last = processed.rows()

    assert sum(map(len, first.values())) > HISTORIES, "the histories have something to lose"
    for history in histories:
        name = f"h{history.number}"
        assert last[name] == first[name], f"the data set of history {name} changed"
        assert last[name] == expected_rows(history, initial_load), f"the data set of history {name} is wrong"
        _assert_nothing_is_from_the_future(history, last[name], initial_load)
    assert processed.digests() == digests


@pytest.mark.parametrize("clock", ["recorded_at", "arrived_at"])
def test_a_manifest_names_exactly_the_objects_whose_rows_could_be_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, clock: str
) -> None:
    caplog.set_level(logging.ERROR)
    workload, late = tiny_workload(tmp_path, clock=clock), 0
    for number in range(HISTORIES // 2):
        history = History(workload, number)
        history.ingest()
        first, last = manifest(history, history.first_build), manifest(history, history.objects.bodies)
        assert first == last
        places = [place for place in history.objects.bodies if place[1].startswith("raw/shop/nightjar-shop/")]
        could_be_in = {
            key
            for bucket, key in places
            if any(is_in_time(event) for event in events_of(history, history.lines("nightjar-shop", {(bucket, key)})))
        }
        assert {item["key"] for item in last["inputs"]} == could_be_in
        assert {(BUCKETS.raw, key) for key in could_be_in} <= history.first_build
        late += len(places) - len(could_be_in)
    assert late > HISTORIES // 2


def _assert_nothing_is_from_the_future(history: History, rows: set[tuple[Any, ...]], initial_load: date | None) -> None:
    """By when things were really written. A trusted clock may be wrong, so back-dated ones are the other tests'."""
    trusted = history.workload.clock == "recorded_at"
    written, claimed = {}, {}
    for record in history.stream_records:
        event = json.loads(record.data)
        price = event["payload"].get("price")
        written[price], claimed[price] = record.written, parse_instant(event["recorded_at"])
    versions = {version.name: version for version in history.versions}
    for _, at, _, price, name in rows:
        if not trusted or claimed[price] >= written[price]:
            assert written[price] < CUTOFF
        if name is None:
            continue
        version = versions[name]
        is_loaded = initial_load is not None and version.committed < cutoff(initial_load)
        if not is_loaded and (not trusted or version.updated_at >= version.committed):
            assert version.committed <= at - LEAD
