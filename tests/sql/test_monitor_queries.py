"""The monitor's queries on a local Athena: they count as training counts, and measure as the definitions say."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from statistics import mean, stdev
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from include.model.baseline import Baseline, bin_of
from include.pipelines.monitor import accuracy
from include.pipelines.monitor.counts import QueryCounts, read_counts
from include.sql.monitor import SCORE_COLUMN, LogWindow, column_names, lake_counts, log_counts
from include.training import baseline
from include.workloads import Workload
from include.workloads.schema import PARTITION_COLUMN, feature_column, processed_columns
from infra.laptop.bootstrap.definitions import definition
from tests.support.athena import DATABASE, Athena
from tests.support.localcloud import base_config, running_cloud
from tests.support.tiny_workload import tiny_workload

pytestmark = pytest.mark.stack
BUCKET = "monitor-queries"
LAST = date(2013, 3, 12)
DAYS = [LAST - timedelta(days=age) for age in range(11, -1, -1)]
END = datetime(2026, 11, 29, 10, tzinfo=UTC)
ROWS_A_DAY = 60
TYPES = {
    "string": pa.string(), "double": pa.float64(), "bigint": pa.int64(), "boolean": pa.bool_(),
    "timestamp": pa.timestamp("ms"),
}  # fmt: skip


class Lake(NamedTuple):
    """A lake with the tables of the small workload, and what is in them."""

    athena: Athena
    workload: Workload
    offered: list[dict[str, Any]]
    rated: list[dict[str, Any]]
    baseline: Baseline

    def read(self, sql: str, columns: list[str]) -> QueryCounts:
        names = ("measure", "entry", "row_count")
        return read_counts((dict(zip(names, row, strict=True)) for row in self.athena.rows(sql)), columns)


def offered(generator: random.Random, day: date, number: int) -> dict[str, Any]:
    price, item = round(generator.uniform(1, 900), 2), generator.choice(["a", "a", "b's", "c"])
    at = datetime(day.year, day.month, day.day, 1, number)  # noqa: DTZ001  (Athena's timestamps have no time zone)
    record = {
        "item": item,
        "price": price,
        "stock": generator.choice([None, 1, 2, 3]),
        "fresh": generator.choice([None, True, False]),
        "made": at,
        "maker_name": None if item == "c" else f"maker of {item}",
    }
    computed = {"f_price": price / 2, "f_item": item, "f_maker": record["maker_name"]}
    times = {"event_time": at, "known_at": at, "recorded_at": at, "arrived_at": at}
    return {"key": f"{day}-{number}", **times, **record, **computed, "event_date": day.isoformat()}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    generator = random.Random(4)
    workload = tiny_workload(tmp_path_factory.mktemp("workloads"))
    rows = [offered(generator, day, number) for day in DAYS for number in range(ROWS_A_DAY - 1)]
    labels = [
        {**{name: row[name] for name in ("key", "known_at", "arrived_at", "event_date")},
         "stars": generator.randint(1, 5),
         "event_time": row["event_time"], "recorded_at": row["recorded_at"] + timedelta(hours=3)}
        for row in rows
    ]  # fmt: skip
    with running_cloud(tmp_path_factory.mktemp("cloud"), base_config()) as cloud:
        athena = Athena(cloud, BUCKET)
        for event, found in (("offered", rows), ("rated", labels)):
            columns = processed_columns(workload, event)
            listed = ", ".join(f"`{name}` {kind}" for name, kind in columns)
            athena.table(f"shop_{event}", listed, "STORED AS PARQUET", f"`{PARTITION_COLUMN[0]}` string")
            for day in DAYS:
                write(athena, event, columns, day, [row for row in found if row["event_date"] == str(day)])
        old = {**rows[-1], "price": 1.0, "f_price": 0.5}
        old |= {name: old[name] - timedelta(hours=1) for name in ("known_at", "recorded_at", "arrived_at")}
        write(athena, "offered", processed_columns(workload, "offered"), LAST, [old], "older")
        yield Lake(athena, workload, rows, labels, made(workload, rows))


def write(athena: Athena, event: str, columns: Any, day: date, rows: list[dict[str, Any]], file: str = "0") -> None:
    """Writes a file of a partition, and the partition."""
    folder = f"shop_{event}/event_date={day}"
    arrays = {name: pa.array([row[name] for row in rows], TYPES[kind]) for name, kind in columns}
    athena.put_parquet(f"{folder}/{file}.parquet", **arrays)
    athena.ok(
        f"ALTER TABLE shop_{event} ADD IF NOT EXISTS PARTITION (event_date = '{day}') "
        f"LOCATION 's3://{BUCKET}/{folder}/'"
    )


def made(workload: Workload, rows: list[dict[str, Any]]) -> Baseline:
    """The baseline of all but the newest day."""
    before = [{**row, "label": 0} for row in rows if row["event_date"] < str(LAST)]
    table = pa.Table.from_pylist(before)
    scores = np.random.default_rng(1).random(len(before))
    found: Baseline = json.loads(baseline.make(workload, table, workload.request, table, scores))
    return found


def test_a_day_is_counted_as_training_counts_and_each_key_once(lake: Lake) -> None:
    features = lake.baseline["features"]
    found = lake.read(lake_counts(lake.workload, DATABASE, [LAST], lake.baseline), column_names(features))
    newest = [row for row in lake.offered if row["event_date"] == str(LAST)]
    assert found.rows == len(newest) == ROWS_A_DAY - 1
    for name, column in features.items():
        assert found.counts[name] == Counter(bin_of(column, row[feature_column(name)]) for row in newest), name
    prices = [row["f_price"] for row in newest]
    assert found.moments["price"]["mean"] == pytest.approx(mean(prices))
    assert found.moments["price"]["spread"] == pytest.approx(stdev(prices))
    stars = [row["stars"] >= 4 for row in lake.rated if row["event_date"] == str(LAST)]
    assert found.labels == {"1": sum(stars), "0": len(stars) - sum(stars)}


def test_without_a_baseline_rows_and_labels_are_counted(lake: Lake) -> None:
    found = lake.read(lake_counts(lake.workload, DATABASE, DAYS[-2:], None), [])
    assert (found.rows, sum(found.labels.values())) == (2 * (ROWS_A_DAY - 1), 2 * (ROWS_A_DAY - 1))


@pytest.fixture(scope="module")
def logged(lake: Lake) -> list[dict[str, Any]]:
    """Predictions of the newest three days' keys, one of them twice, some with other values, and other requests."""
    table = definition("predictions", workload="shop")["table"]
    text = json.dumps(table).replace("nightjar-lake", BUCKET)
    lake.athena.glue.create_table(DatabaseName=DATABASE, TableInput=json.loads(text))
    generator, lines = random.Random(6), []
    for row in (row for row in lake.offered if row["event_date"] >= str(LAST - timedelta(days=2))):
        record = {name: row[name] for name in ("item", "price", "stock", "fresh", "maker_name")}
        record["made"] = row["made"].isoformat() + ".000000Z"
        lines.append(prediction(row["key"], record, generator, version="7"))
    for index in range(5):
        lines[index]["features"]["price"] += 1
    lines[9]["features"]["fresh"] = not lines[9]["features"]["fresh"]
    lines += [prediction(f"r{index}", dict(lines[0]["features"]), generator, version="6") for index in range(30)]
    lines.append(lines[-1])
    lines.append(
        {**prediction("outside", dict(lines[0]["features"]), generator, "7"), "time": "2026-11-10T00:00:00.000000Z"}
    )
    body = "".join(json.dumps(line) + "\n" for line in lines)
    lake.athena.put("predictions/shop/2026/11/29/09/part-0", body)
    return lines


def prediction(request_id: str, record: dict[str, Any], generator: random.Random, version: str) -> dict[str, Any]:
    at = END - timedelta(minutes=generator.randint(1, 600))
    probability = round(generator.random(), 2)
    return {
        "request_id": request_id, "time": f"{at:%Y-%m-%dT%H:%M:%S}.250000Z", "workload": "shop",
        "model_version": version, "bundle_digest": "d", "features": record, "probability": probability,
        "prediction": int(probability >= 0.5),
    }  # fmt: skip


@pytest.fixture(scope="module")
def found(lake: Lake, logged: list[dict[str, Any]]) -> QueryCounts:
    window = LogWindow(END - timedelta(hours=24), END, END - timedelta(days=7), 7)
    sql = log_counts(lake.workload, DATABASE, DAYS, lake.baseline, window)
    return lake.read(sql, column_names({SCORE_COLUMN: lake.baseline["score"], **lake.baseline["fields"]}))


def live(logged: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in logged if line["model_version"] == "7" and line["request_id"] != "outside"]


def test_requests_of_the_live_version_are_counted_once_by_their_fields(
    lake: Lake, logged: list[dict[str, Any]], found: QueryCounts
) -> None:
    lines = live(logged)
    assert found.rows == len(lines) and found.versions == {"7": len(lines), "6": 30}
    for name, column in lake.baseline["fields"].items():
        expected = Counter(bin_of(column, line["features"][name]) for line in lines)
        assert found.counts[name] == expected, name
    score = Counter(bin_of(lake.baseline["score"], line["probability"]) for line in lines)
    assert found.counts[SCORE_COLUMN] == score


def test_accuracy_is_that_of_the_pairs(lake: Lake, logged: list[dict[str, Any]], found: QueryCounts) -> None:
    stars = {row["key"]: int(row["stars"] >= 4) for row in lake.rated}
    scored = [(line["probability"], stars[line["request_id"]]) for line in live(logged)]
    positive, negative = ([p for p, label in scored if label == wanted] for wanted in (1, 0))
    pairs = [(p > n) + (p == n) / 2 for p in positive for n in negative]
    result = accuracy.newest(accuracy.measure(found.judged), 7)
    assert result is not None and result["auc"] == pytest.approx(mean(pairs))
    assert (result["rows"], result["positives"]) == (len(scored), len(positive))
    assert result["brier"] == pytest.approx(mean((p - label) ** 2 for p, label in scored))
    losses = [-np.log(max(p, 1e-15) if label else max(1 - p, 1e-15)) for p, label in scored]
    assert result["log_loss"] == pytest.approx(float(mean(losses)))
    assert found.delay[1] == len(scored)


def test_requests_that_differ_from_the_lakes_rows_are_named_by_field(
    logged: list[dict[str, Any]], found: QueryCounts
) -> None:
    assert found.compared == len(live(logged))
    assert {name: number for name, number in found.skew.items() if number} == {"": 6, "price": 5, "fresh": 1}


def test_a_log_without_lines_is_no_error(lake: Lake, logged: list[dict[str, Any]]) -> None:
    window = LogWindow(
        datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), 7
    )
    sql = log_counts(lake.workload, DATABASE, DAYS, lake.baseline, window)
    empty = lake.read(sql, column_names({SCORE_COLUMN: lake.baseline["score"], **lake.baseline["fields"]}))
    assert (empty.rows, empty.compared, empty.judged, empty.delay) == (0, 0, [], (["", ""], 0))
