"""One batch of records on its way into a raw object, compressed as it grows: memory holds the compressed bytes only."""

from __future__ import annotations

import base64
import gzip
import io
import json
from typing import IO, Any

from nightjar.instants import instant_text
from nightjar.kinesis.hook import Record
from nightjar.stream.decode import Undecodable, decode


class GzipLines:
    """JSON lines in a gzip stream without time stamp or name: the same lines are the same bytes."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._buffer, mtime=0)
        self.lines = 0
        self.bytes = 0

    def add(self, line: str) -> None:
        """One line, without its line end."""
        encoded = line.encode() + b"\n"
        self._gzip.write(encoded)
        self.lines += 1
        self.bytes += len(encoded)

    def finish(self) -> IO[bytes]:
        """The whole stream, at its beginning. Nothing can be added after."""
        self._gzip.close()
        self._buffer.seek(0)
        return self._buffer


class Batch:
    """Consecutive records of one shard: the decodable ones as raw lines, the others as quarantine lines."""

    def __init__(self, shard_id: str, first: Record) -> None:
        self.shard_id = shard_id
        self.first = first
        self.last = first
        self.size = 0
        self.raw = GzipLines()
        self.quarantine = GzipLines()
        self.days: set[str] = set()
        self.min_recorded_at = ""
        self.max_recorded_at = ""

    def add(self, record: Record) -> None:
        """The next record of the shard."""
        self.last = record
        self.size += 1
        head = raw_head(self.shard_id, record)
        try:
            event = decode(record.data)
        except Undecodable as error:
            self.quarantine.add(quarantine_line(head, record, str(error)))
            return
        self.raw.add(f'{head},"event":{event.text}}}')
        self.days.add(event.day)
        self.min_recorded_at = min(self.min_recorded_at or event.recorded_at, event.recorded_at)
        self.max_recorded_at = max(self.max_recorded_at, event.recorded_at)


def json_line(value: Any) -> str:
    """One JSON value on one line. Raises ValueError for NaN and the like."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def raw_head(shard_id: str, record: Record) -> str:
    """The beginning of a line, up to and without the comma before its last fields."""
    fields = {
        "shard_id": shard_id,
        "sequence_number": record.sequence_number,
        "arrived_at": instant_text(record.arrived_at),
    }
    return json_line(fields)[:-1]


def quarantine_line(head: str, record: Record, reason: str) -> str:
    """The line of a record that could not be decoded."""
    return f'{head},"reason":{json_line(reason)},"data_base64":"{base64.b64encode(record.data).decode()}"}}'
