"""What a data set holds, executed: as known at its cut-off, and the same however often it is rebuilt."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from include.lake.days import cutoff
from include.sql import dataset_digest, dataset_select, dataset_unload, split_bounds
from include.workloads import load
from include.workloads.schema import dataset_columns
from tests.support.sql_engine import Engine
from tests.support.tiny_workload import tiny_workload

DAY = date(2013, 3, 10)  # train 6, 7, 8; validation 9; test 10
CUTOFF = cutoff(DAY)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tiny_workload(tmp_path))


def offered(key: str, at: str, recorded_at: str | None = None, price: float = 1.0, **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "event_time": at,
        "recorded_at": recorded_at or at,
        "item": "a",
        "price": price,
        "f_price": price / 2,
        **more,
    }


def rated(key: str, at: str, stars: int | None = 5, recorded_at: str | None = None, **more: Any) -> dict[str, Any]:
    return {"key": key, "event_time": at, "recorded_at": recorded_at or at, "stars": stars, **more}


def select(engine: Engine) -> dict[str, dict[str, Any]]:
    rows = engine.query(dataset_select(engine.workload, "nightjar", CUTOFF))
    assert len({row["key"] for row in rows}) == len(rows)
    return {row["key"]: row for row in rows}


def digests(engine: Engine) -> dict[str, tuple[Any, ...]]:
    rows = engine.query(dataset_digest(engine.workload, "nightjar", CUTOFF))
    return {row["split"]: (row["row_count"], row["positives"], row["digest"]) for row in rows}


def one_of_each(engine: Engine) -> None:
    for day in range(6, 11):
        engine.insert("offered", [offered(f"k{day}", f"2013-03-{day:02} 12:00:00", price=day + 0.1)])
        engine.insert("rated", [rated(f"k{day}", f"2013-03-{day:02} 13:00:00", stars=day % 5 + 1)])


def test_columns_are_those_of_the_schema(engine: Engine) -> None:
    one_of_each(engine)
    names = [name for name, _ in dataset_columns(engine.workload)] + ["split"]
    assert list(select(engine)["k6"]) == names


def test_splits_are_by_time_and_labels_are_the_expression(engine: Engine) -> None:
    one_of_each(engine)
    rows = select(engine)
    assert {key: row["split"] for key, row in rows.items()} == {
        "k6": "train",
        "k7": "train",
        "k8": "train",
        "k9": "validation",
        "k10": "test",
    }
    assert {key: row["label"] for key, row in rows.items()} == {"k6": 0, "k7": 0, "k8": 1, "k9": 1, "k10": 0}
    assert {key: value[:2] for key, value in digests(engine).items()} == {
        "train": (3, 1),
        "validation": (1, 1),
        "test": (1, 0),
    }


def test_only_the_window_counts(engine: Engine) -> None:
    for key, at in {
        "before": "2013-03-05 23:59:59.999",
        "first": "2013-03-06 00:00:00",
        "last": "2013-03-10 23:59:59",
    }.items():
        engine.insert("offered", [offered(key, at, "2013-03-01 00:00:00")])
        engine.insert("rated", [rated(key, "2013-03-10 23:59:59.500")])
    assert set(select(engine)) == {"first", "last"}


def test_a_key_without_a_known_label_is_left_out(engine: Engine) -> None:
    engine.insert("offered", [offered(key, "2013-03-08 12:00:00") for key in ("none", "null", "late", "edge", "known")])
    engine.insert("rated", [rated("null", "2013-03-08 13:00:00", stars=None)])
    engine.insert("rated", [rated("late", "2013-03-08 13:00:00", recorded_at="2013-03-11 00:00:00.001")])
    engine.insert("rated", [rated("edge", "2013-03-08 13:00:00", recorded_at="2013-03-11 00:00:00")])
    engine.insert("rated", [rated("known", "2013-03-08 13:00:00", recorded_at="2013-03-10 23:59:59.999")])
    assert set(select(engine)) == {"known"}


def test_the_newest_version_known_at_the_cut_off_counts(engine: Engine) -> None:
    for known, price in (("2013-03-07", 1.0), ("2013-03-09", 2.0), ("2013-03-11", 3.0)):
        engine.insert("offered", [offered("k", "2013-03-08 12:00:00", f"{known} 00:00:00", price)])
    for known, stars in (("2013-03-08", 5), ("2013-03-09", 1), ("2013-03-11", 5)):
        engine.insert("rated", [rated("k", "2013-03-08 13:00:00", stars, f"{known} 14:00:00")])
    row = select(engine)["k"]
    assert (row["price"], row["f_price"], row["label"]) == (2.0, 1.0, 0)


def test_a_version_that_arrives_late_does_not_replace_a_newer_one(engine: Engine) -> None:
    at = "2013-03-08 12:00:00"
    newer = offered("k", at, "2013-03-08 09:00:00", price=2.0, arrived_at="2013-03-08 09:01:00")
    late = offered("k", at, "2013-03-08 08:00:00", price=1.0, arrived_at="2013-03-09 00:00:00")
    engine.insert("offered", [newer, {**late, "known_at": "2013-03-09 00:00:00"}])
    engine.insert("rated", [rated("k", "2013-03-08 13:00:00")])
    assert select(engine)["k"]["price"] == 2.0


def test_a_clock_that_is_ahead_does_not_outlive_later_corrections(engine: Engine) -> None:
    at = "2013-03-08 12:00:00"
    ahead = offered("k", at, "2099-01-01 00:00:00", price=1.0, arrived_at="2013-03-08 09:00:00")
    correction = offered("k", at, "2013-03-08 10:00:00", price=2.0, arrived_at="2013-03-08 10:01:00")
    engine.insert("offered", [{**ahead, "known_at": "2013-03-08 09:00:00"}, correction])
    engine.insert("rated", [rated("k", "2013-03-08 13:00:00")])
    assert select(engine)["k"]["price"] == 2.0


def test_by_arrival_the_last_arrival_counts(tmp_path: Path) -> None:
    engine = Engine(tiny_workload(tmp_path, clock="arrived_at"))
    for recorded, arrived, price in (("11", "09", 1.0), ("10", "12", 2.0)):
        row = offered("k", "2013-03-08 12:00:00", f"2013-03-08 {recorded}:00:00", price)
        arrival = f"2013-03-08 {arrived}:00:00"
        engine.insert("offered", [{**row, "arrived_at": arrival, "known_at": arrival}])
    engine.insert("rated", [rated("k", "2013-03-08 13:00:00")])
    assert select(engine)["k"]["price"] == 2.0


def test_a_key_that_moves_is_in_one_split(engine: Engine) -> None:
    engine.insert("offered", [offered("k", "2013-03-07 12:00:00", "2013-03-06 00:00:00")])
    engine.insert("offered", [offered("k", "2013-03-10 12:00:00", "2013-03-07 00:00:00")])
    engine.insert("rated", [rated("k", "2013-03-10 13:00:00")])
    assert select(engine)["k"]["split"] == "test"


def test_what_is_recorded_after_the_cut_off_does_not_change_the_digest(engine: Engine) -> None:
    one_of_each(engine)
    before = digests(engine)
    engine.insert("offered", [offered("k7", "2013-03-07 12:00:00", "2013-03-11 06:00:00", price=999.0)])
    engine.insert(
        "rated", [rated("k7", "2013-03-07 13:00:00", 5, "2013-03-12 00:00:00"), rated("k10", "2013-03-11 01:00:00", 5)]
    )
    assert digests(engine) == before


def test_what_is_recorded_before_the_cut_off_changes_the_digest_of_its_split_only(engine: Engine) -> None:
    one_of_each(engine)
    before = digests(engine)
    engine.insert("rated", [rated("k7", "2013-03-07 13:00:00", 5, "2013-03-10 00:00:00")])
    after = digests(engine)
    assert after["train"] != before["train"]
    assert (after["validation"], after["test"]) == (before["validation"], before["test"])


def test_the_digest_does_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    workload = tiny_workload(tmp_path)
    rows = [offered(f"k{i}", f"2013-03-07 12:00:{i:02}", price=i / 7) for i in range(20)]
    labels = [rated(f"k{i}", f"2013-03-07 13:00:{i:02}") for i in range(20)]
    found = []
    for order in (1, -1):
        engine = Engine(workload)
        engine.insert("offered", rows[::order])
        engine.insert("rated", labels[::order])
        found.append(digests(engine))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"item": "a,b"}, {"item": "a"}),
        ({"item": '"'}, {"item": '""'}),
        ({"item": ""}, {"item": None}),
        ({"item": "null"}, {"item": None}),
        ({"item": "a", "maker_name": None}, {"item": None, "maker_name": "a"}),
        ({"price": 0.1}, {"price": 0.1 + 2**-51}),
        ({"price": -0.5}, {"price": 0.5}),
        ({"price": 123456789.25}, {"price": 123456789.5}),
        ({"price": 0.0}, {"price": None}),
        ({"stock": 1}, {"stock": 10}),
        ({"fresh": False}, {"fresh": None}),
        ({"made": "2013-03-01 00:00:00.001"}, {"made": "2013-03-01 00:00:00.002"}),
    ],
)
def test_rows_that_differ_have_different_digests(tmp_path: Path, one: dict[str, Any], other: dict[str, Any]) -> None:
    workload = tiny_workload(tmp_path)
    found = []
    for values in (one, other):
        engine = Engine(workload)
        engine.insert("offered", [{**offered("k", "2013-03-07 12:00:00"), **values}])
        engine.insert("rated", [rated("k", "2013-03-07 13:00:00")])
        found.append(digests(engine)["train"][2])
    assert found[0] != found[1]


def test_the_digest_is_a_number_that_any_engine_would_give(engine: Engine) -> None:
    """Computed by hand from the rule: 60 bits of the sha256 of the canonical text."""
    engine.insert("offered", [offered("k,1", "2013-03-07 12:00:00", price=-1.75, item='a"b', fresh=True, stock=3)])
    engine.insert("rated", [rated("k,1", "2013-03-07 13:00:00")])

    def number(x: float) -> str:
        floor = int(x // 1)
        return f"{floor}+{int((x - floor) * 2**52)}"

    text = ",".join(
        [
            '"k,1"',
            "2013-03-07 12:00:00.000000",
            "1",
            number(-1.75 / 2),
            "",
            "",
            '"a""b"',
            number(-1.75),
            "3",
            "true",
            "",
            "",
        ]
    )
    expected = int(hashlib.sha256(text.encode()).hexdigest()[:15], 16)
    assert digests(engine)["train"][2] == str(expected)


def test_the_split_bounds_touch_and_end_at_the_cut_off(tmp_path: Path) -> None:
    dataset = tiny_workload(tmp_path).dataset
    bounds = split_bounds(dataset, CUTOFF)
    assert [bounds[name][1] for name in ("train", "validation")] == [bounds[name][0] for name in ("validation", "test")]
    assert bounds["test"][1] == CUTOFF == datetime(2013, 3, 11, tzinfo=UTC)
    for wrong in (datetime(2013, 3, 11, 1, tzinfo=UTC), datetime.fromisoformat("2013-03-11")):
        with pytest.raises(ValueError, match="not midnight UTC"):
            split_bounds(dataset, wrong)


def test_the_unload_is_athenas_with_split_last(tmp_path: Path) -> None:
    sql = dataset_unload(tiny_workload(tmp_path), "nightjar", CUTOFF, "s3://lake/datasets/shop/1/")
    assert sql.startswith("unload (")
    assert "to 's3://lake/datasets/shop/1/'" in sql
    assert "partitioned_by = array['split']" in sql
    inner = sqlglot.parse_one(sql[len("unload (") : sql.rindex(")\nto")], read="trino")
    query = inner.find(sqlglot.exp.With)
    assert query is not None
    assert isinstance(query.parent, sqlglot.exp.Select)
    assert query.parent.selects[-1].alias == "split"


def test_only_partitions_of_the_window_are_read(tmp_path: Path) -> None:
    sql = dataset_select(tiny_workload(tmp_path), "nightjar", CUTOFF)
    assert sql.count("\"event_date\" between '2013-03-06' and '2013-03-10'") == 2


def test_the_flights_queries_are_trino() -> None:
    engine = Engine(load("flights"))
    assert engine.query(dataset_digest(engine.workload, "nightjar", CUTOFF)) == []
    longest = 262_144  # bytes that Athena takes
    assert len(dataset_unload(engine.workload, "nightjar", CUTOFF, "s3://x/").encode()) < longest
