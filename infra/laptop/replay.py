"""Replays recorded history into the workloads' sources: events into Kinesis, reference rows into PostgreSQL.

The state table has an item that says how far the replay came, so it is lost together with the stream's content.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import batched
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from include.workloads import Workload
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopError
from infra.laptop.history_source import HistorySource, has_history
from infra.laptop.postgres import Postgres
from infra.laptop.progress import Reporter

__all__ = ["History", "fill_source_tables", "has_history", "load_tables", "put_records", "replayed_to"]

Days = dict[str, list[dict[str, Any]]]
BATCH = 500  # the maximum of PutRecords
HELD = timedelta(days=31)
SENDERS = 4
ATTEMPTS = 5


@dataclass
class History:
    """A workload's events that were recorded in [start, end)."""

    workload: Workload
    data: Path
    start: date
    end: date
    _held: Days = field(default_factory=dict, init=False)
    _held_from: date = date.min

    @cached_property
    def by_day(self) -> Days:
        """Events by the UTC day of ``recorded_at``, in order of ``recorded_at``."""
        return self._read(self.start, self.end)

    def _read(self, start: date, end: date) -> Days:
        days: Days = {}
        for event in HistorySource.open(self.workload.name, self.data).events(start, end):
            days.setdefault(event["recorded_at"][:10], []).append(event)
        return days

    def _events(self, day: date) -> list[dict[str, Any]]:
        """The events of a day. Some weeks are held in memory: reading takes seconds, and a year takes a gigabyte."""
        if not self._held_from <= day < self._held_from + HELD:
            self._held_from = day
            self._held = self._read(day, min(day + HELD, self.end))
        return self._held.get(day.isoformat(), [])

    def replay(self, aws: Aws, table: str, end: date, reporter: Reporter) -> int:
        """Sends the events that were recorded before ``end`` and have not been sent.

        A day is sent completely before the next one, so events of a key keep their order across days.

        Returns:
            The number of events sent.
        """
        first = max(self.start, replayed_to(aws, table, self.workload.name) or self.start)
        days = [first + timedelta(days=offset) for offset in range((end - first).days)]
        if not days:
            return 0
        reporter.doing("reading the data")
        sent = 0
        with reporter.bar(f"{days[0]} to {days[-1]}, days", len(days)) as bar, ThreadPoolExecutor(SENDERS) as pool:
            for day in days:
                events = self._events(day)
                list(pool.map(lambda batch: put_records(aws, self.workload.stream.name, batch), batched(events, BATCH)))
                sent += len(events)
                remember_replayed(aws, table, self.workload.name, day + timedelta(days=1))
                bar.advance(bar.task_ids[0])
        return sent


def put_records(aws: Aws, stream: str, events: Iterable[Mapping[str, Any]]) -> None:
    """Puts up to ``BATCH`` events and repeats the records that Kinesis refused.

    Raises:
        LaptopError: An event cannot be written as JSON, or Kinesis still refuses records at the last attempt.
    """
    records = [{"Data": _encoded(event), "PartitionKey": event["key"]} for event in events]
    refused: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for attempt in range(ATTEMPTS):
        answer = aws.kinesis.put_records(StreamName=stream, Records=records)
        if not answer["FailedRecordCount"]:
            return
        refused = [
            (record, result) for record, result in zip(records, answer["Records"], strict=True) if "ErrorCode" in result
        ]
        records = [record for record, _ in refused]
        time.sleep(0.2 * 2**attempt)
    raise LaptopError(
        f"Stream {stream} still refuses {len(records)} records after {ATTEMPTS} attempts, the first with: "
        f"{refused[0][1].get('ErrorMessage')}. Run the command again: it continues with this day."
    )


def _encoded(event: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(event, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise LaptopError(f"The event {event['key']!r} of the history cannot be written as JSON: {error}.") from None


def replayed_to(aws: Aws, table: str, workload: str) -> date | None:
    """The first day that has not been replayed, or None before the first replay."""
    item = aws.dynamodb.get_item(TableName=table, Key=_key(workload), ConsistentRead=True).get("Item")
    return date.fromisoformat(item["day"]["S"]) if item else None


def fill_source_tables(postgres: Postgres, workloads: Iterable[Workload], data: Path) -> dict[str, str]:
    """Fills the source tables of every workload with a history, which its hourly ingest reads from the start on.

    Empty tables would not do: the ingest moves its watermark, and would never read the rows that come later. A history
    that cannot be used, or whose tables the database refuses, concerns no other workload.

    Returns:
        Why a workload's tables are not filled, by its name. Its hourly ingest fails; the stack can be used without it.
    """
    refused = {}
    for workload in workloads:
        name = workload.name
        if workload.database is None or not has_history(name):
            continue
        try:
            load_tables(postgres, workload, data)
        except LaptopError as error:
            refused[name] = str(error)
    return refused


def load_tables(postgres: Postgres, workload: Workload, data: Path) -> dict[str, int]:
    """Creates and fills the workload's tables; existing rows are kept.

    Returns:
        The number of rows added to each table.

    Raises:
        LaptopError: The history cannot be used, or the database refuses its tables or rows.
    """
    source = HistorySource.open(workload.name, data)
    statements, tables = source.ddl(), source.tables()
    try:
        with psycopg.connect(postgres.url(workload.name)) as connection:
            for statement in statements:
                connection.execute(statement)
            return {table: _insert(connection, table, rows) for table, rows in tables.items()}
    except (psycopg.Error, UnicodeEncodeError) as error:  # the latter: a text with half a surrogate pair
        raise LaptopError(f"PostgreSQL refuses the tables of {workload.name}'s history: {error}") from error


def _insert(connection: psycopg.Connection, table: str, rows: list[Mapping[str, Any]]) -> int:
    if not rows:
        return 0
    columns = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
    name = sql.Identifier(table)
    connection.execute(sql.SQL("CREATE TEMP TABLE incoming (LIKE {}) ON COMMIT DROP").format(name))
    with connection.cursor().copy(sql.SQL("COPY incoming ({}) FROM STDIN").format(columns)) as copy:
        for row in rows:
            copy.write_row([row[column] for column in rows[0]])  # rows may have their columns in any order
    answer = connection.execute(
        sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM incoming ON CONFLICT DO NOTHING").format(name, columns)
    )
    connection.execute("DROP TABLE incoming")
    return answer.rowcount


def _key(workload: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"replay#{workload}"}, "sk": {"S": "events"}}


def remember_replayed(aws: Aws, table: str, workload: str, day: date) -> None:
    """Records the first day that has not been replayed."""
    aws.dynamodb.put_item(TableName=table, Item={**_key(workload), "day": {"S": day.isoformat()}})
