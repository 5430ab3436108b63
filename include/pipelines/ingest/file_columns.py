"""How the columns of a dropped file become the fields of an event; a file with wrong columns is refused whole."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from include.lake.instants import format_instant
from include.pipelines.ingest.file_outcomes import FileRefusedError
from include.workloads import FieldSpec
from include.workloads.files import ENVELOPE, RECORDED_AT, FileSpec
from include.workloads.suggestions import did_you_mean

MAX_ROW_BYTES = 1024 * 1024  # what a record of the stream may have


@dataclass(frozen=True)
class FileColumns:
    """The columns of a kind of file.

    Attributes:
        spec: The kind.
        fields: The fields of the event that a row becomes.
        arrived_at: When the file arrived: the ``recorded_at`` of a row that has none.
    """

    spec: FileSpec
    fields: Mapping[str, FieldSpec]
    arrived_at: datetime

    def places(self, header: Sequence[str]) -> dict[str, int]:
        """Returns field → the place of its column.

        Args:
            header: The file's columns.

        Raises:
            FileRefusedError: A column is missing, unknown or there more than once.
        """
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

    def event(self, envelope: Mapping[str, str | None], payload: Mapping[str, str]) -> bytes:
        """Returns the event of a row.

        Args:
            envelope: ``key``, ``event_time`` and ``recorded_at``; what is empty is missing.
            payload: Field → its value as JSON.
        """
        event = {"event_type": self.spec.event, RECORDED_AT: format_instant(self.arrived_at)}
        event |= {name: text for name in ENVELOPE if (text := envelope.get(name))}
        values = ",".join(f"{json.dumps(name)}:{value}" for name, value in payload.items())
        return f'{json.dumps(event)[:-1]},"payload":{{{values}}}}}'.encode()
