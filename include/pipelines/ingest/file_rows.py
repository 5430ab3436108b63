"""The rows of a dropped file, each as the bytes of an event; a file that is not what it should be is refused whole.

Rows are read one by one from a copy on the worker's disk, so a file's size costs time and not memory.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from include.errors import RefusedError
from include.lake.instants import format_instant
from include.lake.known import Clock
from include.pipelines.ingest.entries import entries
from include.workloads import FieldSpec
from include.workloads.files import ENVELOPE, EVENT_TIME, KEY, RECORDED_AT, FileSpec
from include.workloads.suggestions import did_you_mean

MAX_LINE_BYTES = 1024 * 1024  # what a record of the stream may have
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_BOOLEANS = {"true": "true", "false": "false"}


class FileRefusedError(RefusedError):
    """A dropped file is refused as a whole. The text gives the reason."""


class FileRecord(NamedTuple):
    """One row as a record, like those of a stream; its number is that of its (last) line in the file."""

    sequence_number: str
    arrived_at: datetime
    data: bytes


@dataclass(frozen=True)
class FileRows:
    """The rows of a file on the disk.

    Attributes:
        path: The file; UTF-8 text, as :func:`include.pipelines.ingest.file_copy.copied` has checked.
        spec: Its kind.
        fields: The fields of the event that a row of a CSV file becomes.
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
        rows = self._csv() if self.spec.format == "csv" else self._json_lines()
        return (FileRecord(str(number), self.arrived_at, data) for number, data in rows)

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
        for record in self.records():
            for entry in entries(record, clock):
                events += entry.event is not None
                others += entry.event is None
                reason = reason or (entry.reason and f"line {record.sequence_number}: {entry.reason}")
        if not events + others:
            raise FileRefusedError("has no row")
        if not events:
            raise FileRefusedError(f"none of its {others} rows is an event ({reason})")
        return events, others

    def _json_lines(self) -> Iterator[tuple[int, bytes]]:
        with self.path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise FileRefusedError(f"line {number} has more than {MAX_LINE_BYTES} bytes")
                data = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if data.strip():
                    yield number, data.strip()

    def _csv(self) -> Iterator[tuple[int, bytes]]:
        with self.path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, delimiter=self.spec.delimiter, strict=True)
            try:
                header = next(reader, [])
                places = self._places(header)
                for row in reader:
                    if not row:
                        continue  # an empty line
                    if len(row) != len(header):
                        raise FileRefusedError(
                            f"line {reader.line_num} has {len(row)} columns, and the header has {len(header)}"
                        )
                    yield reader.line_num, self._event(row, places)
            except csv.Error as error:
                raise FileRefusedError(f"is not CSV: line {reader.line_num}: {error}") from None

    def _places(self, header: Sequence[str]) -> dict[str, int]:
        """Returns field → its place in a row."""
        repeated = [column for column, count in Counter(header).items() if count > 1]
        if repeated:
            raise FileRefusedError(f"has the column {repeated[0]} more than once")
        known = {self.spec.column(field): field for field in (*ENVELOPE, *self.fields)}
        for column in header:
            if column not in known and column not in self.spec.ignore:
                raise FileRefusedError(f"has an unknown column, {column}{did_you_mean(column, known)}")
        optional = {RECORDED_AT, *(name for name, field in self.fields.items() if field.nullable)}
        missing = [column for column, field in known.items() if column not in header and field not in optional]
        if missing:
            raise FileRefusedError(f"has no column {', '.join(missing)}")
        return {known[column]: place for place, column in enumerate(header) if column in known}

    def _event(self, row: Sequence[str], places: Mapping[str, int]) -> bytes:
        """The event of a row. A cell that is no value of its field's type stays text, which the transform refuses."""
        cells = {field: row[place] for field, place in places.items()}
        event = {"event_type": self.spec.event, RECORDED_AT: format_instant(self.arrived_at)}
        event |= {name: cells[name] for name in (KEY, EVENT_TIME, RECORDED_AT) if cells.get(name)}
        values = (
            f"{json.dumps(name)}:{_json(cells[name], self.fields[name])}" for name in self.fields if name in cells
        )
        return f'{json.dumps(event)[:-1]},"payload":{{{",".join(values)}}}}}'.encode()


def _json(cell: str, field: FieldSpec) -> str:
    """A cell as a JSON value, with every digit; an empty one is null."""
    if not cell:
        return "null"
    if field.type in ("integer", "number") and _NUMBER.fullmatch(cell.strip()):
        return cell.strip()
    if field.type == "boolean" and cell.strip().lower() in _BOOLEANS:
        return _BOOLEANS[cell.strip().lower()]
    return json.dumps(cell)
