"""The block ``files`` of a workload: every contradiction is found before a file is dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.workloads.files import FileSpec, accepting
from tests.support.tiny_workload import document, refusal, tiny_workload

CSV: dict[str, Any] = {"match": "*.csv", "format": "csv", "event": "offered"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({**CSV, "event": "offer"}, "files.f.event: offer is not an event of this workload; did you mean offered?"),
        ({"match": "*", "format": "csv"}, "files.f: event is missing: a row of a file with columns does not"),
        ({"match": "*", "format": "parquet"}, "files.f: event is missing: a row of a file with columns does not"),
        ({**CSV, "format": "parquet", "delimiter": ";"}, "files.f: delimiter: is for csv only"),
        ({"match": "*", "format": "json_lines", "event": "rated"}, "files.f: event: is for files with columns"),
        ({**CSV, "format": "xml"}, "files.f.format: Input should be 'csv', 'json_lines' or 'parquet'"),
        ({**CSV, "columns": {"prices": "p"}}, "files.f.columns.prices: is neither key, event_time, recorded_at nor"),
        ({**CSV, "columns": {"item": "price"}}, "files.f.columns: the column price is read as several fields"),
        ({**CSV, "ignore": ["price"]}, "files.f.ignore: price is the column of a field"),
        ({**CSV, "match": "/x"}, "files.f.match: "),
    ],
)
def test_a_mistake_is_named_with_its_field(tmp_path: Path, spec: dict[str, Any], expected: str) -> None:
    assert expected in refusal(tmp_path, workload=document(files={"f": spec}))


def test_the_source_of_files_is_no_tables_name(tmp_path: Path) -> None:
    table = document()["tables"]["makers"]
    text = refusal(tmp_path, workload=document(tables={"makers": table, "files": table}))
    assert "tables.files: files is the source of" in text


def test_files_are_a_source_of_events_only_where_they_are_declared(tmp_path: Path) -> None:
    without = tiny_workload(tmp_path / "without")
    with_files = tiny_workload(tmp_path / "with", files={"f": CSV})
    assert without.event_sources == ("nightjar-shop",)
    assert with_files.event_sources == ("nightjar-shop", "files")
    assert without.process_hash() == with_files.process_hash(), "published days stay valid"


def test_the_first_kind_that_matches_accepts_a_file() -> None:
    kinds = {"one": FileSpec(**CSV | {"match": "a/*.csv"}), "two": FileSpec(**CSV)}
    assert accepting(kinds, "a/b/c.csv") is kinds["one"]
    assert accepting(kinds, "b.csv") is kinds["two"]
    assert accepting(kinds, "b.CSV") is None
