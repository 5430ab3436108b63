"""Raw objects → processed rows, quarantine and report, with real Spark over file:// URIs."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from include.glue.errors import GlueJobError
from include.glue.storage import read_json
from include.workloads.schema import processed_columns
from tests.support.raw_objects import line, maker, offered, rated, utc, write_inputs
from tests.support.tiny_workload import tiny_workload

if TYPE_CHECKING:
    from include.glue.report import ReportDocument

pytestmark = pytest.mark.spark
DAYS = [date(2013, 3, 1), date(2013, 3, 2), date(2013, 3, 3)]
NOON = "2013-03-01T12:00:00Z"


def rows(folder: Path, event_type: str, day: date) -> list[dict[str, Any]]:
    """The processed rows of one day, in the order of the file; the partition column is not among them."""
    files = sorted((folder / "staging" / event_type / f"event_date={day}").glob("*.parquet"))
    assert len(files) == 1
    return pq.ParquetFile(files[0]).read().to_pylist()


def refused(folder: Path, part: str) -> list[dict[str, Any]]:
    """The quarantined rows of one part."""
    files = (folder / "quarantine" / part).glob("*.gz")
    return [json.loads(text) for file in files for text in gzip.decompress(file.read_bytes()).decode().splitlines()]


WAYS: dict[str, dict[str, Any]] = {
    "in this process": {"spark": None},
    "Spark looks rows up": {},
    "Spark joins": {"lookup_rows": 0},
}


@pytest.fixture(scope="module")
def runs(spark, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, ReportDocument]]:
    """A run over three days, the last without any row, each way in which a run can be made."""
    return {way: _run(tmp_path_factory.mktemp("transform"), **{"spark": spark, **given}) for way, given in WAYS.items()}


@pytest.fixture(scope="module", params=WAYS)
def run(runs: dict[str, tuple[Path, ReportDocument]], request: pytest.FixtureRequest) -> tuple[Path, ReportDocument]:
    """The run, each way."""
    return runs[request.param]


def _run(folder: Path, spark: Any, **given: Any) -> tuple[Path, ReportDocument]:
    from include.glue.transform import transform

    first = [
        line(offered("k1", NOON), arrived_at="2013-03-01T12:00:02Z", sequence_number=20),
        line(offered("k1", NOON), arrived_at="2013-03-01T12:00:01Z", sequence_number=9),
        line(offered("k1", NOON, recorded_at="2013-03-02T00:00:00Z", price=11), arrived_at="2013-03-02T00:01:00Z"),
        line(offered("k1", NOON, recorded_at="2013-03-01T13:00:00Z", price=12), watermark="2013-03-01T18:00:00Z"),
        line(offered("k2", NOON, item="  a \t b ", stock=None, made="2013-03-01T01:00:00+01:00", size="unknown to us")),
        line(offered("late", NOON, item="late")),
        line(offered("older", NOON, item="older")),
        line(offered("eve", "2013-02-28T23:59:59.999Z")),
    ]
    second = [
        line(offered("low", NOON, price=-1)),
        line(offered("text", NOON, price="10", stock=1.5)),
        line(offered("none", NOON, item=None)),
        line(offered("fails", NOON, price=666)),
        line({**offered("when", NOON), "event_time": "noon"}),
        line({**offered("what", NOON), "event_type": "sold"}),
        line(offered("mistyped", NOON) | {"payload": "text"}),
        "not JSON",
        line(rated("k1", "2013-03-02T08:00:00Z", 5)),
    ]
    makers = [
        maker("a", "2013-02-01T00:00:00Z", "2013-02-01T00:00:00Z", "old"),
        maker("a", "2013-03-01T11:00:00Z", "2013-03-01T10:00:00Z", "valid"),
        maker("a", "2013-03-01T11:00:00Z", "2013-03-01T11:00:00Z", "valid, corrected"),
        maker("a", "2013-03-01T11:00:00Z", "2013-03-01T11:00:00.001Z", "valid, corrected within the lead"),
        maker("a", "2013-03-01T11:00:00Z", "2013-03-01T12:00:00.001Z", "valid, corrected after the event"),
        maker("a", "2013-03-01T11:00:00Z", "2013-03-01T10:30:00Z", "back-dated", watermark="2013-03-01T11:00:00.001Z"),
        maker("a", "2013-03-01T11:00:00.001Z", "2013-03-01T11:00:00Z", "too new for the lead"),
    ]
    more = [
        maker(
            "a", "2013-03-01T11:00:00Z", "2013-03-01T11:00:00Z", "valid, corrected", watermark="2013-03-02T00:00:00Z"
        ),
        maker("older", "2013-02-01T00:00:00Z", "2013-02-01T00:00:00Z", "known"),
        maker("older", "2013-03-01T00:00:00Z", "2013-03-01T13:00:00Z", "newer, but entered after the event"),
        maker("late", "2013-02-01T00:00:00Z", "2013-04-01T00:00:00Z", "filled in later"),
        maker("late", "2013-02-01T00:00:00Z", "2013-04-02T00:00:00Z", "filled in later, corrected"),
        maker("a", "2013-02-01T00:00:00Z", "2013-02-02T00:00:00Z", 7),
    ]
    inputs = write_inputs(folder, DAYS, [first, second], {"makers": [makers, more]})
    workload = tiny_workload(folder / "workloads")
    staging, quarantine = f"file://{folder}/staging/", f"file://{folder}/quarantine/"
    return folder, transform(spark, workload, DAYS, inputs, staging, quarantine, **given)


def test_each_way_writes_the_same_bytes(runs: dict[str, tuple[Path, ReportDocument]]) -> None:
    def written(folder: Path) -> dict[str, bytes]:
        files = [file for part in ("staging", "quarantine") for file in (folder / part).rglob("*") if file.is_file()]
        return {
            str(file.relative_to(folder)): file.read_bytes() for file in files if "quarantine/tables" not in str(file)
        }

    first, *others = [written(folder) for folder, _ in runs.values()]
    assert len(first) > len(DAYS) * 2
    for found in others:
        assert found.keys() == first.keys()
        assert [name for name, content in found.items() if content != first[name]] == []


def test_columns_are_those_of_the_schema_for_full_and_empty_days(run, tmp_path: Path) -> None:
    folder, _ = run
    workload = tiny_workload(tmp_path)
    kinds = {"string": "string", "double": "double", "bigint": "int64", "boolean": "bool", "timestamp": "timestamp[us]"}
    for event_type in workload.events:
        expected = [(name, kinds[kind]) for name, kind in processed_columns(workload, event_type)]
        for day in DAYS:
            (file,) = (folder / "staging" / event_type / f"event_date={day}").glob("*.parquet")
            assert [(field.name, str(field.type)) for field in pq.read_schema(file)] == expected


def test_every_version_is_kept_and_exact_duplicates_are_not(run) -> None:
    folder, _ = run
    versions = [row for row in rows(folder, "offered", DAYS[0]) if row["key"] == "k1"]
    assert [(row["price"], row["known_at"]) for row in versions] == [
        (10.0, utc(2013, 3, 1, 12)),
        (12.0, utc(2013, 3, 1, 18)),
        (11.0, utc(2013, 3, 2)),
    ]
    assert versions[0]["arrived_at"] == utc(2013, 3, 1, 12, 0, 1)


def test_text_is_normalized_and_times_are_utc(run) -> None:
    folder, _ = run
    (row,) = [row for row in rows(folder, "offered", DAYS[0]) if row["key"] == "k2"]
    assert row["item"] == row["f_item"] == "a b"
    assert row["made"] == utc(2013, 3, 1) and row["stock"] is None and row["f_price"] == 5.0
    assert row["maker_name"] is None and row["f_maker"] is None


def test_reference_rows_are_joined_as_they_were_known(run) -> None:
    folder, _ = run
    names = {row["key"]: row["maker_name"] for row in rows(folder, "offered", DAYS[0])}
    assert names == {"k1": "valid, corrected", "k2": None, "late": None, "older": "known"}


def test_only_the_days_asked_for_are_written(run) -> None:
    folder, _ = run
    assert [row["key"] for row in rows(folder, "offered", DAYS[0])] == ["k1", "k1", "k1", "k2", "late", "older"]
    assert rows(folder, "offered", DAYS[1]) == rows(folder, "rated", DAYS[0]) == rows(folder, "rated", DAYS[2]) == []
    assert [(row["key"], row["stars"]) for row in rows(folder, "rated", DAYS[1])] == [("k1", 5)]
    assert not (folder / "staging/offered/event_date=2013-02-28").exists()


def test_refused_rows_are_kept_with_their_reasons(run) -> None:
    folder, _ = run
    reasons = {row.get("key"): row["reason"] for row in refused(folder, "events") if row["line"] != "not JSON"}
    assert reasons == {
        "low": "price: is below the minimum 0",
        "text": "price: is not a number; stock: is not an integer",
        "none": "item: is missing",
        "when": "event_time: is not an ISO 8601 time with an offset",
        "what": "event_type: is not an event of this workload",
        "mistyped": "payload: is not an object",
    }
    (no_json,) = [row for row in refused(folder, "events") if row["line"] == "not JSON"]
    assert no_json["reason"].startswith("line: is not a JSON object")
    (failed,) = refused(folder, "features")
    assert (failed["key"], failed["_reason"]) == ("fails", "features: ArithmeticError: no such price")
    (row,) = refused(folder, "tables/makers")
    assert row["reason"] == "name: is not a string"


def test_the_report_counts_every_row_once(run) -> None:
    folder, report = run
    assert read_json(f"file://{folder}/staging/report.json") == json.loads(json.dumps(report))
    zeros = {"read": 0, "duplicates": 0, "quarantined": 0, "written": 0}
    assert report["days"]["2013-03-01"] == {
        "offered": {"read": 13, "duplicates": 1, "quarantined": 6, "written": 6},
        "rated": zeros,
        "unknown": {"read": 2, "duplicates": 0, "quarantined": 2, "written": 0},
    }
    assert report["days"]["2013-03-02"]["rated"] == {**zeros, "read": 1, "written": 1}
    assert report["days"]["2013-03-03"] == {"offered": zeros, "rated": zeros}
    assert report["tables"] == {"makers": {"read": 13, "quarantined": 1}}
    assert report["reasons"]["2013-03-01"]["offered"]["features: ArithmeticError: no such price"] == 1


def test_without_reference_rows_and_by_arrival(spark, tmp_path: Path) -> None:
    from include.glue.transform import transform

    inputs = write_inputs(tmp_path, DAYS[:1], [[line(offered("k", NOON), arrived_at="2013-03-01T15:00:00.1239Z")]])
    workload = tiny_workload(tmp_path / "workloads", clock="arrived_at")
    transform(spark, workload, DAYS[:1], inputs, f"file://{tmp_path}/staging/", f"file://{tmp_path}/quarantine/")
    (row,) = rows(tmp_path, "offered", DAYS[0])
    assert row["known_at"] == row["arrived_at"] == utc(2013, 3, 1, 15, 0, 0, 123_000)
    assert row["recorded_at"] == utc(2013, 3, 1, 12) and row["maker_name"] is None


def test_inputs_of_other_days_are_refused(spark, tmp_path: Path) -> None:
    from include.glue.transform import transform

    inputs = write_inputs(tmp_path, DAYS[:1], [])
    with pytest.raises(GlueJobError, match="the job is of shop"):
        transform(
            spark, tiny_workload(tmp_path / "workloads"), DAYS, inputs, f"file://{tmp_path}/s/", f"file://{tmp_path}/q/"
        )


def test_history_that_is_declared_as_loaded_late_counts_since_it_is_valid(spark, tmp_path: Path) -> None:
    from include.glue.transform import transform

    makers = [
        maker("loaded", "2013-02-01T00:00:00Z", "2013-04-01T00:00:00Z", "loaded"),
        maker("loaded", "2013-02-01T00:00:00Z", "2013-04-01T06:00:00Z", "loaded, corrected on the same day"),
        maker("after", "2013-02-01T00:00:00Z", "2013-04-02T00:00:00Z", "written after the load"),
        maker("future", "2013-03-01T11:00:00.001Z", "2013-04-01T00:00:00Z", "loaded, but not valid yet"),
    ]
    events = [line(offered(key, NOON, item=key)) for key in ("loaded", "after", "future")]
    inputs = write_inputs(tmp_path, DAYS[:1], [events], {"makers": [makers]})
    workload = tiny_workload(tmp_path / "workloads", tables__makers__initial_load="2013-04-01")
    transform(spark, workload, DAYS[:1], inputs, f"file://{tmp_path}/staging/", f"file://{tmp_path}/quarantine/")
    names = {row["key"]: row["maker_name"] for row in rows(tmp_path, "offered", DAYS[0])}
    assert names == {"loaded": "loaded", "after": None, "future": None}


def test_null_equals_no_null_in_a_join(spark, tmp_path: Path) -> None:
    from include.glue.transform import transform

    inputs = write_inputs(
        tmp_path,
        DAYS[:1],
        [[line(offered("k", NOON, item=None))]],
        {"makers": [[maker(None, "2013-02-01T00:00:00Z", "2013-02-01T00:00:00Z", "of nobody")]]},
    )
    nullable = {"type": "string", "nullable": True}
    workload = tiny_workload(
        tmp_path / "workloads", events__offered__schema__item=nullable, tables__makers__schema__item=nullable
    )
    transform(spark, workload, DAYS[:1], inputs, f"file://{tmp_path}/staging/", f"file://{tmp_path}/quarantine/")
    assert [row["maker_name"] for row in rows(tmp_path, "offered", DAYS[0])] == [None]
