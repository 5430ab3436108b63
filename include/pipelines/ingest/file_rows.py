"""The rows of a dropped file, each as the bytes of an event; a file that is not what it should be is refused whole.

Rows are read one by one from a copy on the worker's disk, so a file's size costs time and not memory.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from include.lake.known import Clock
from include.pipelines.ingest.entries import entries
from include.pipelines.ingest.file_columns import MAX_ROW_BYTES, FileColumns
from include.pipelines.ingest.file_outcomes import FileRefusedError
from include.workloads import FieldSpec
from include.workloads.files import ENVELOPE, FileSpec

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_BOOLEANS = {"true": "true", "false": "false"}


class FileRecord(NamedTuple):
    """One row as a record, like those of a stream.

    Its number is that of its (last) line in the file; in Parquet, that of the row.
    """

    sequence_number: str
    arrived_at: datetime
    data: bytes


@dataclass(frozen=True)
class FileRows:
    """The rows of a file on the disk.

    Attributes:
        path: The file, as :func:`include.pipelines.ingest.file_copy.copied` has checked it.
        spec: Its kind.
        fields: The fields of the event that a row with columns becomes.
        arrived_at: When the file arrived; also the ``recorded_at`` of a row that has none.
    """

    path: Path
    spec: FileSpec
    fields: Mapping[str, FieldSpec]
    arrived_at: datetime

    def records(self) -> Iterator[FileRecord]:
        """Iterates over the rows.

        Raises:
            FileRefusedError: The file's form is wrong.
        """
        return (FileRecord(str(number), self.arrived_at, data) for number, data in self._rows())

    def _rows(self) -> Iterator[tuple[int, bytes]]:
        """Iterates over number and event of each row."""
        if self.spec.format == "json_lines":
            return self._json_lines()
        if self.spec.format == "csv":
            return self._csv()
        # pyarrow is large, and the scheduler imports this module whenever it parses the DAG.
        from include.pipelines.ingest.file_parquet import parquet_rows

        return parquet_rows(self.path, self._columns)

    @property
    def _columns(self) -> FileColumns:
        return FileColumns(self.spec, self.fields, self.arrived_at)

    def check(self, clock: Clock) -> tuple[int, int]:
        """Reads the file to its end, before anything of it is written.

        Args:
            clock: The workload's clock.

        Returns:
            The number of rows that are events, and of those that are none.

        Raises:
            FileRefusedError: The file's form is wrong, it has no row, or none of its rows is an event.
        """
        events, others, reason = 0, 0, ""
        row_name = "row" if self.spec.format == "parquet" else "line"
        for record in self.records():
            for entry in entries(record, clock):
                events += entry.event is not None
                others += entry.event is None
                reason = reason or (entry.reason and f"{row_name} {record.sequence_number}: {entry.reason}")
        if not events + others:
            raise FileRefusedError("has no row")
        if not events:
            raise FileRefusedError(f"none of its {others} rows is an event ({reason})")
        return events, others

    def _json_lines(self) -> Iterator[tuple[int, bytes]]:
        with self.path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_ROW_BYTES + 1):
                number += 1
                if len(line) > MAX_ROW_BYTES:
                    raise FileRefusedError(f"line {number} has more than {MAX_ROW_BYTES} bytes")
                data = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if data.strip():
                    yield number, data.strip()

    def _csv(self) -> Iterator[tuple[int, bytes]]:
        with self.path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, delimiter=self.spec.delimiter, strict=True)
            try:
                header = next(reader, [])
                places = self._columns.places(header)
                for row in reader:
                    if not row:
                        continue  # an empty line
                    if len(row) != len(header):
                        raise FileRefusedError(
                            f"line {reader.line_num} has {len(row)} columns, and the header has {len(header)}"
                        )
                    yield reader.line_num, self._cells(row, places)
            except csv.Error as error:
                raise FileRefusedError(f"is not CSV: line {reader.line_num}: {error}") from None

    def _cells(self, row: Sequence[str], places: Mapping[str, int]) -> bytes:
        """The event of a row. A cell that is no value of its field's type stays text, which the transform refuses."""
        cells = {field: row[place] for field, place in places.items()}
        payload = {name: _json(cells[name], self.fields[name]) for name in self.fields if name in cells}
        return self._columns.event({name: cells.get(name) for name in ENVELOPE}, payload)


def _json(cell: str, field: FieldSpec) -> str:
    """A cell as a JSON value, with every digit; an empty one is null."""
    if not cell:
        return "null"
    if field.type in ("integer", "number") and _NUMBER.fullmatch(cell.strip()):
        return cell.strip()
    if field.type == "boolean" and cell.strip().lower() in _BOOLEANS:
        return _BOOLEANS[cell.strip().lower()]
    return json.dumps(cell)
