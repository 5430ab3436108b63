"""The rows of a file as events; a file of a wrong form is refused whole, with the place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.pipelines.ingest.file_columns import MAX_ROW_BYTES
from include.pipelines.ingest.file_outcomes import FileRefusedError
from include.pipelines.ingest.file_rows import FileRows
from include.workloads import FieldSpec
from include.workloads.files import FileSpec

ARRIVED = datetime(2013, 3, 2, 9, tzinfo=UTC)
FIELDS = {
    "item": FieldSpec(type="string"),
    "price": FieldSpec(type="number"),
    "stock": FieldSpec(type="integer", nullable=True),
    "fresh": FieldSpec(type="boolean", nullable=True),
}
CSV = FileSpec(match="*.csv", format="csv", event="offered", columns={"event_time": "at", "item": "Article"})
LINES = FileSpec(match="*.jsonl", format="json_lines")
HEADER = "key,at,Article,price"


def rows(tmp_path: Path, content: str | bytes, spec: FileSpec = CSV) -> FileRows:
    path = tmp_path / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return FileRows(path, spec, FIELDS, ARRIVED)


def events(found: FileRows) -> list[Any]:
    return [json.loads(record.data) for record in found.records()]


def test_a_row_becomes_an_event_with_every_digit(tmp_path: Path) -> None:
    text = f'{HEADER},stock,fresh\n1,2013-03-01T10:00:00Z,"a ""b"",\nc",0.10000000000000000001,,TRUE\n'
    found = rows(tmp_path, text)
    (record,) = found.records()
    assert b'"price":0.10000000000000000001' in record.data
    assert events(found) == [
        {
            "event_type": "offered",
            "key": "1",
            "event_time": "2013-03-01T10:00:00Z",
            "recorded_at": "2013-03-02T09:00:00.000000Z",
            "payload": {"item": 'a "b",\nc', "price": 0.1, "stock": None, "fresh": True},
        }
    ]
    assert (record.sequence_number, record.arrived_at) == ("3", ARRIVED), "the file's last line of the row"


def test_a_value_of_another_type_stays_text_for_the_transform_to_refuse(tmp_path: Path) -> None:
    text = f"{HEADER},recorded_at\n1,2013-03-01T10:00:00Z,a,1.000,2013-03-01T09:00:00Z\n2,x,a,1e3,\n"
    first, second = events(rows(tmp_path, text))
    assert first["recorded_at"] == "2013-03-01T09:00:00Z"
    assert first["payload"]["price"] == 1.0
    assert second["payload"]["price"] == 1000.0
    assert events(rows(tmp_path, f"{HEADER}\n1,2013-03-01T10:00:00Z,a,01\n"))[0]["payload"]["price"] == "01"
    assert events(rows(tmp_path, f"{HEADER}\n1,2013-03-01T10:00:00Z,a,NaN\n"))[0]["payload"]["price"] == "NaN"


def test_a_byte_order_mark_and_empty_lines_are_no_part_of_the_rows(tmp_path: Path) -> None:
    assert len(events(rows(tmp_path, f"\ufeff{HEADER}\n\n1,2013-03-01T10:00:00Z,a,1\n\n"))) == 1
    line = json.dumps({"event_type": "offered"})
    assert events(rows(tmp_path, f"\ufeff{line}\n\n  {line}\r\n", LINES)) == [{"event_type": "offered"}] * 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"{HEADER}\n", "has no row"),
        (f"{HEADER}\n1,2013-03-01T10:00:00Z,a\n", "line 2 has 3 columns, and the header has 4"),
        (f'{HEADER}\n1,2013-03-01T10:00:00Z,"a,1\n', "is not CSV: line 2: unexpected end of data"),
        ("key,at,price\n1,2013-03-01T10:00:00Z,1\n", "has no column Article"),
        (f"{HEADER},colour\n1,2013-03-01T10:00:00Z,a,1,red\n", "has an unknown column, colour"),
        (f"{HEADER},stocks\n1,2013-03-01T10:00:00Z,a,1,2\n", "has an unknown column, stocks; did you mean stock?"),
        (f"{HEADER},key\n1,2013-03-01T10:00:00Z,a,1,1\n", "has the column key more than once"),
        (f"{HEADER}\n,2013-03-01T10:00:00Z,a,1\n2,noon,a,1\n", r"none of its 2 rows is an event \(line 2: key: is "),
        ("key;at;Article;price\n1;2013-03-01T10:00:00Z;a;1\n", "has an unknown column, key;at;Article;price"),
    ],
)
def test_a_csv_file_of_a_wrong_form_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    with pytest.raises(FileRefusedError, match=reason):
        rows(tmp_path, content).check("recorded_at")


def test_rows_that_are_no_events_are_counted_if_there_are_others(tmp_path: Path) -> None:
    text = f"{HEADER}\n1,2013-03-01T10:00:00Z,a,1\n,2013-03-01T10:00:00Z,a,1\n3,2013-03-01T10:00:00Z,a,1\n"
    assert rows(tmp_path, text).check("recorded_at") == (2, 1)


def test_columns_that_a_kind_leaves_out_are_no_mistake(tmp_path: Path) -> None:
    spec = FileSpec(match="*", format="csv", event="offered", ignore=("colour",), delimiter=";")
    text = "key;event_time;item;price;colour\n1;2013-03-01T10:00:00Z;a;1;red\n"
    (event,) = events(rows(tmp_path, text, spec))
    assert event["payload"] == {"item": "a", "price": 1}


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    content = b'{"event_type": "' + b"x" * MAX_ROW_BYTES + b'"}\n'
    with pytest.raises(FileRefusedError, match="line 1 has more than"):
        rows(tmp_path, content, LINES).check("recorded_at")
