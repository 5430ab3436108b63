"""Dropped files → raw: each file is read like a closed shard, so the commit rule of raw holds for it too.

The key of its raw objects has the digest of the content: the same content gets into raw once, whatever its name. A
message is deleted when its file is in raw or refused; the message of a file that could not be read comes back. A file
that is refused as a whole stays where it was dropped, and its reason and name are in quarantine; so is each row that is
not an event, as a record of a stream would be.

A row counts as known from the stream's watermark on when it was read, as a late record of the stream does
(docs/adr/0037-more-ways-in.md).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from include.errors import NothingToDoError
from include.lake import layout, state_keys
from include.lake.buckets import DataBuckets
from include.lake.instants import format_instant, parse_instant
from include.pipelines.ingest.file_copy import FileCopy, copied
from include.pipelines.ingest.file_outcomes import FileOutcome, FileRefusedError, outcome
from include.pipelines.ingest.file_protocols import MessageQueue, QueueMessage, VersionedObjects
from include.pipelines.ingest.file_rows import FileRecord, FileRows
from include.pipelines.ingest.shard import END_OF_TIME, ShardIngest
from include.pipelines.ingest.target import StreamTarget
from include.pipelines.protocols import Shard, StateStore
from include.workloads import Workload
from include.workloads.files import FILES_SOURCE, FileSpec, accepting

log = logging.getLogger(__name__)

MAX_FILES = 500
"""Files of one run; the next run takes the rest."""


class FilesRead(NamedTuple):
    """What a run did.

    Attributes:
        outcomes: What became of each file that was read.
        error: The error of the first file that could not be read; None if there was none.
    """

    outcomes: list[FileOutcome]
    error: Exception | None


class DroppedFile(NamedTuple):
    """A version of an object below the workload's prefix, as S3's event names it."""

    key: str
    version: str
    arrived_at: datetime


@dataclass(frozen=True)
class FileIngest:
    """Reads a workload's dropped files into raw. Only one run at a time does."""

    workload: Workload
    buckets: DataBuckets
    code_sha: str
    objects: VersionedObjects
    state: StateStore

    def run(self, queue: MessageQueue) -> FilesRead:
        """Reads the files that the queue names, until it is empty.

        A file that cannot be read stops no other. Its message is back in the queue afterwards; the queue gives up after
        a number of tries, and keeps it apart.

        Raises:
            NothingToDoError: The queue was empty.
        """
        outcomes: list[FileOutcome] = []
        failed: list[tuple[QueueMessage, Exception]] = []
        for message in _messages(queue):
            try:
                outcomes += self._ingest(message)
            except Exception as error:  # whatever it is, the other files are read
                log.exception("A file could not be read, and stays in the queue: %s", message.body)
                failed.append((message, error))
            else:
                queue.delete(message.receipt)
        for message, _ in failed:
            queue.release(message.receipt)
        if not outcomes and not failed:
            raise NothingToDoError("No file was dropped that was not read already: nothing to ingest.")
        return FilesRead(outcomes, failed[0][1] if failed else None)

    def _ingest(self, message: QueueMessage) -> list[FileOutcome]:
        """Reads the file of a message; no outcome if it is only the mark of a folder."""
        dropped = _dropped(message.body)
        name = dropped.key.removeprefix(layout.drops_prefix(self.workload.name))
        if not name or name.endswith("/"):
            return []
        try:
            found = self._read(dropped, name)
        except FileRefusedError as error:
            found = self._refuse(dropped, str(error))
        log.info("%s", found)
        return [found]

    def _read(self, dropped: DroppedFile, name: str) -> FileOutcome:
        spec = accepting(self.workload.files, name)
        if spec is None:
            known = ", ".join(spec.match for spec in self.workload.files.values()) or "none"
            raise FileRefusedError(f"no entry of files in workload.yaml accepts the name {name}; accepted: {known}")
        body = self.objects.open_version(self.buckets.lake, dropped.key, dropped.version)
        if body is None:
            raise FileRefusedError("was deleted before it was read; drop it again")
        with copied(body, spec.max_megabytes, parquet=spec.format == "parquet") as copy:
            return self._commit(dropped, spec, copy)

    def _commit(self, dropped: DroppedFile, spec: FileSpec, copy: FileCopy) -> FileOutcome:
        item_key = state_keys.file_key(self.workload.name, copy.sha256)
        item = self.state.get(*item_key) or {
            "file": dropped.key,
            "version": dropped.version,
            # A run that repairs a crashed one must find the same arrival, because it is in the raw object's name.
            "arrived_at": format_instant(dropped.arrived_at),
            "bytes": copy.bytes,
            "status": "started",
        }
        if item["status"] == "ingested":
            if (item["file"], item["version"]) == (dropped.key, dropped.version):
                return outcome(dropped.key, "repeated")
            raise FileRefusedError(f"has the content of {item['file']}, which is in raw since {item['arrived_at']}")
        fields = self.workload.events[spec.event].fields if spec.event else {}
        rows = FileRows(copy.path, spec, fields, parse_instant(item["arrived_at"]))
        records, refused = rows.check(self.workload.clock)
        self.state.put(*item_key, {**item, "code_sha": self.code_sha})
        target = StreamTarget(
            self.workload.name, FILES_SOURCE, self.buckets, self.workload.clock, watermark_of=self.workload.stream.name
        )
        shard = f"file-{copy.sha256}"
        source = _FileSource(shard, rows)
        stores: Any = {"objects": self.objects, "state": self.state}
        ShardIngest(target, shard, END_OF_TIME, source=source, **stores).run()
        done = {"status": "ingested", "records": records, "quarantined": refused, "code_sha": self.code_sha}
        self.state.put(*item_key, {**item, **done})
        return outcome(dropped.key, "ingested", records, refused)

    def _refuse(self, dropped: DroppedFile, reason: str) -> FileOutcome:
        document = {
            "file": dropped.key,
            "version": dropped.version,
            "arrived_at": format_instant(dropped.arrived_at),
            "reason": reason,
        }
        name = hashlib.sha256(f"{dropped.key}\n{dropped.version}".encode()).hexdigest()[:20]
        key = layout.refused_file_key(self.workload.name, FILES_SOURCE, dropped.arrived_at.date(), name)
        self.objects.put(self.buckets.lake, key, json.dumps(document).encode())
        return outcome(dropped.key, "refused", reason=reason)


def _messages(queue: MessageQueue) -> Iterator[QueueMessage]:
    for _ in range(MAX_FILES):
        message = queue.receive()
        if message is None:
            return
        yield message


def _dropped(body: str) -> DroppedFile:
    """Reads EventBridge's event of an object that S3 has stored."""
    event = json.loads(body)
    stored = event["detail"]["object"]
    return DroppedFile(stored["key"], stored.get("version-id", ""), parse_instant(event["time"]))


class _FileSource:
    """A file as a stream of one closed shard."""

    def __init__(self, shard: str, rows: FileRows) -> None:
        self._shard, self._rows = shard, rows

    def shards(self, stream: str) -> list[Shard]:
        return [{"shard_id": self._shard, "parents": []}]

    def reader(self, stream: str, shard_id: str, until: datetime) -> _FileReader:
        return _FileReader(self._rows)


class _FileReader:
    """Reads the file in order; it always ends."""

    ended, stopped_at = True, None

    def __init__(self, rows: FileRows) -> None:
        self._rows = rows

    def records(self, after: str | None) -> Iterator[FileRecord]:
        return (record for record in self._rows.records() if int(record.sequence_number) > int(after or 0))
