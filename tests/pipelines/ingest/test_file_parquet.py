"""The rows of a Parquet file as events: the values that JSON lines would have, within limits."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.pipelines.ingest import file_parquet
from include.pipelines.ingest.file_columns import MAX_ROW_BYTES
from include.pipelines.ingest.file_copy import copied
from include.pipelines.ingest.file_outcomes import FileRefusedError
from include.pipelines.ingest.file_rows import FileRows
from include.workloads import FieldSpec
from include.workloads.files import FileSpec

ARRIVED = datetime(2013, 3, 2, 9, tzinfo=UTC)
AT = datetime(2013, 3, 1, 10, tzinfo=UTC)
FIELDS = {
    "item": FieldSpec(type="string"),
    "price": FieldSpec(type="number"),
    "stock": FieldSpec(type="integer", nullable=True),
    "fresh": FieldSpec(type="boolean", nullable=True),
    "since": FieldSpec(type="timestamp", nullable=True),
}
SPEC = FileSpec(match="*.parquet", format="parquet", event="offered", columns={"event_time": "at"}, ignore=("note",))
ROW: dict[str, Any] = {"key": ["1"], "at": [AT], "item": ["a"], "price": [1.5]}


def content(table: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def rows(folder: Path, table: Any, **options: Any) -> FileRows:
    return stored(folder, content(table, **options))


def stored(folder: Path, data: bytes) -> FileRows:
    path = folder / "file"
    path.write_bytes(data)
    return FileRows(path, SPEC, FIELDS, ARRIVED)


def events(found: FileRows) -> list[Any]:
    return [json.loads(record.data) for record in found.records()]


def refusal(found: FileRows) -> str:
    with pytest.raises(FileRefusedError) as caught:
        found.check("recorded_at")
    return str(caught.value)


def test_a_row_becomes_an_event_with_every_digit(tmp_path: Path) -> None:
    table = pa.table({
        "key": pa.array([7, 8]),
        "at": pa.array([AT, AT], pa.timestamp("ns", tz="America/New_York")),
        "recorded_at": pa.array([None, AT], pa.timestamp("ms", tz="UTC")),
        "item": pa.array(["a \"b\"", ""]).dictionary_encode(),
        "price": pa.array([Decimal("0.10000000000000000001"), Decimal("-2.00000000000000000000")]),
        "stock": pa.array([None, 2**40], pa.int64()),
        "fresh": [True, None],
        "since": pa.array([AT, None], pa.timestamp("us", tz="UTC")),
        "note": pa.array([[1], [2]]),
    })  # fmt: skip
    found = rows(tmp_path, table)
    assert b'"price":0.10000000000000000001' in next(iter(found.records())).data
    at, arrived = "2013-03-01T10:00:00.000000Z", "2013-03-02T09:00:00.000000Z"
    first = {"item": 'a "b"', "price": 0.1, "stock": None, "fresh": True, "since": at}
    second = {"item": "", "price": -2.0, "stock": 2**40, "fresh": None, "since": None}
    assert events(found) == [
        {"event_type": "offered", "key": "7", "event_time": at, "recorded_at": arrived, "payload": first},
        {"event_type": "offered", "key": "8", "event_time": at, "recorded_at": at, "payload": second},
    ]
    assert [record.sequence_number for record in found.records()] == ["1", "2"]
    assert found.check("recorded_at") == (2, 0)


def test_a_value_that_json_lacks_or_of_another_type_is_left_to_the_transform(tmp_path: Path) -> None:
    (event,) = events(rows(tmp_path, pa.table({**ROW, "price": [float("nan")], "item": [5], "stock": ["6"]})))
    assert event["payload"] == {"item": 5, "price": "nan", "stock": "6"}
    wrong = [problem for name, field in FIELDS.items() if (problem := field.check(event["payload"].get(name))[1])]
    assert wrong == ["is not a string", "is not a number", "is not an integer"]


def test_times_may_be_text_and_a_row_with_a_wrong_one_is_counted(tmp_path: Path) -> None:
    times = ["2013-03-01T10:00:00Z", "noon", None]
    table = pa.table({"key": ["1", "2", "3"], "at": times, "item": ["a"] * 3, "price": [1] * 3})
    assert rows(tmp_path, table).check("recorded_at") == (1, 2)
    text = refusal(rows(tmp_path, table.slice(1)))
    assert text.startswith("none of its 2 rows is an event (row 1: event_time: 'noon' is not an ISO 8601 time")


def test_a_year_that_python_lacks_is_no_time(tmp_path: Path) -> None:
    table = pa.table({**ROW, "at": pa.array([2**60], pa.timestamp("us", tz="UTC"))})
    assert "row 1: event_time: '1152921504606846976 microseconds since 1970' is not" in refusal(rows(tmp_path, table))


def test_row_groups_are_read_one_after_the_other_and_restarting_skips_what_was_read(tmp_path: Path) -> None:
    count = 2_500
    keys = [str(number) for number in range(count)]
    table = pa.table({"key": keys, "at": [AT] * count, "item": ["a"] * count, "price": [1] * count})
    found = rows(tmp_path, table, row_group_size=700)
    assert [event["key"] for event in events(found)] == keys
    assert [record.sequence_number for record in found.records()] == [str(number + 1) for number in range(count)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"at": [AT.replace(tzinfo=None)]}, "has times without a time zone in the column at; write them in UTC"),
        ({"at": [date(2013, 3, 1)]}, "has the type date32[day] in the column at, which event_time cannot have"),
        ({"key": [1.0]}, "has the type double in the column key, which key cannot have"),
        ({"key": [True]}, "has the type bool in the column key, which key cannot have"),
        ({"item": [b"a"]}, "has the type binary in the column item, which item cannot have"),
        ({"price": [[1.0]]}, "has the type list<element: double> in the column price, which price cannot have"),
        ({"prices": [1.0]}, "has an unknown column, prices; did you mean price?"),
        ({"item": ["x" * MAX_ROW_BYTES]}, "row 1 has more than 1048576 bytes"),
    ],
)  # fmt: skip
def test_a_file_of_a_wrong_form_is_refused(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    assert refusal(rows(tmp_path, pa.table({**ROW, **change}))) == reason


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    assert refusal(rows(tmp_path, pa.table(ROW).slice(1))) == "has no row"


def test_a_column_that_is_missing_or_doubled_is_named(tmp_path: Path) -> None:
    table = pa.table(ROW)
    assert refusal(rows(tmp_path, table.drop_columns(["item", "at"]))) == "has no column at, item"
    assert refusal(rows(tmp_path, table.append_column("item", table["item"]))) == "has the column item more than once"


@pytest.mark.parametrize(
    ("limit", "value", "reason"),
    [
        ("MAX_ROWS", 2, "has 3 rows, more than 2; split it"),
        ("MAX_COLUMNS", 4, "has 5 columns, more than 4"),
        ("MAX_MEGABYTES", 3, "has 4 MiB, decompressed, more than 3; split it"),
        ("MAX_ROW_GROUP_MEGABYTES", 0, "has a row group of 1 MiB, decompressed (number 1); write row groups"),
    ],
)  # fmt: skip
def test_a_footer_above_a_limit_is_refused_before_a_row_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, reason: str
) -> None:
    """The file is small, since it repeats itself: what it becomes is what counts."""
    items = ["a" * 100, "b" * file_parquet.MIB, "c" * file_parquet.MIB]
    table = pa.table(
        {"key": ["1", "2", "3"], "at": [AT] * 3, "item": items, "price": [1] * 3, "note": items},
    )
    data = content(table, row_group_size=2, compression="zstd", use_dictionary=False, write_statistics=False)
    monkeypatch.setattr(file_parquet, limit, value)
    assert len(data) < 10_000 and refusal(stored(tmp_path, data)).startswith(reason)


def test_a_broken_page_is_refused_with_what_is_wrong(tmp_path: Path) -> None:
    options = {"compression": "none", "use_dictionary": False, "write_statistics": False, "write_page_checksum": True}
    data = bytearray(content(pa.table({**ROW, "item": ["abcdefgh"]}), **options))
    place = data.index(b"abcdefgh")
    data[place : place + 8] = b"ABCDEFGH"
    assert "cannot be read as Parquet: " in (text := refusal(stored(tmp_path, bytes(data)))) and "CRC" in text


def test_a_broken_footer_is_refused(tmp_path: Path) -> None:
    assert refusal(stored(tmp_path, b"PAR1" + b"x" * 40 + b"\x20\0\0\0PAR1")).startswith("cannot be read as Parquet: ")


def test_an_error_of_this_machine_refuses_no_file(tmp_path: Path) -> None:
    found = rows(tmp_path, pa.table(ROW))
    found.path.unlink()
    with pytest.raises(FileNotFoundError):
        found.check("recorded_at")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"key,at\n", "is not Parquet, which workload.yaml declares for its name; send Parquet"),
        (content(pa.table(ROW))[:-9], "does not end like Parquet, so it may be cut off; send it again"),
        (b"PAR1\xff\xff\xff\x7fPAR1", "has a footer of 2147483647 bytes, more than 16777216; split it"),
    ],
)
def test_what_is_no_complete_parquet_is_refused_when_it_is_copied(data: bytes, reason: str) -> None:
    with pytest.raises(FileRefusedError) as caught, copied(io.BytesIO(data), 1, parquet=True):
        pass
    assert str(caught.value) == reason
