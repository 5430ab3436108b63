"""Plays recorded history into the platform's sources: events into Kinesis, reference rows into PostgreSQL.

How far the replay came is an item of the state table, so it is forgotten together with the stream it went into.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import batched
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from infra.laptop import flights_source
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopError
from infra.laptop.postgres import Postgres
from infra.laptop.progress import Reporter

SOURCES = {"flights": (flights_source, "nycflights13")}
BATCH = 500  # what PutRecords takes at most
SENDERS = 4
ATTEMPTS = 5


@dataclass
class History:
    """A workload's events recorded in [start, end), read once however many times it is replayed from."""

    workload: Any
    data: Path
    start: date
    end: date

    @cached_property
    def by_day(self) -> dict[str, list[dict[str, Any]]]:
        """Events by the day they were recorded on, each day's in order of ``recorded_at``."""
        source, folder = _source(self.workload.name)
        days: dict[str, list[dict[str, Any]]] = {}
        for event in source.events(self.data / folder, self.start, self.end):
            days.setdefault(event["recorded_at"][:10], []).append(event)
        return days

    def replay(self, aws: Aws, table: str, end: date, reporter: Reporter) -> int:
        """Sends what was recorded before ``end`` and was not sent yet, a day at a time; how many events.

        A day is sent whole before the next begins, so the order in which a key's events were recorded is kept across days.
        """
        first = max(self.start, replayed_to(aws, table, self.workload.name) or self.start)
        days = [first + timedelta(days=offset) for offset in range((end - first).days)]
        if not days:
            return 0
        reporter.doing("reading the data")
        by_day, sent = self.by_day, 0
        with reporter.bar(f"{days[0]} to {days[-1]}, days", len(days)) as bar, ThreadPoolExecutor(SENDERS) as pool:
            for day in days:
                events = by_day.get(day.isoformat(), [])
                list(pool.map(lambda batch: put_records(aws, self.workload.stream.name, batch), batched(events, BATCH)))
                sent += len(events)
                _remember(aws, table, self.workload.name, day + timedelta(days=1))
                bar.advance(bar.task_ids[0])
        return sent


def put_records(aws: Aws, stream: str, events: Iterable[Mapping[str, Any]]) -> None:
    """One PutRecords; what was throttled is sent again. Raises :class:`LaptopError` when records are still refused at the end."""
    records = [
        {"Data": json.dumps(event, separators=(",", ":")).encode(), "PartitionKey": event["key"]} for event in events
    ]
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
        f"Stream {stream} refused {len(records)} records, the first with {refused[0][1].get('ErrorMessage')}."
    )


def replayed_to(aws: Aws, table: str, workload: str) -> date | None:
    """The first day that was not replayed yet; None before the first replay."""
    item = aws.dynamodb.get_item(TableName=table, Key=_key(workload), ConsistentRead=True).get("Item")
    return date.fromisoformat(item["day"]["S"]) if item else None


def load_tables(postgres: Postgres, workload: Any, data: Path) -> dict[str, int]:
    """Creates and fills the workload's tables; rows that are there are left alone. Table → rows added."""
    source, folder = _source(workload.name)
    added = {}
    with psycopg.connect(postgres.url(workload.name)) as connection:
        for statement in source.DDL.values():
            connection.execute(statement)
        for table, rows in source.tables(data / folder).items():
            added[table] = _insert(connection, table, list(rows))
    return added


def _insert(connection: psycopg.Connection, table: str, rows: list[dict[str, Any]]) -> int:
    if not rows:
        return 0
    columns = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
    name = sql.Identifier(table)
    connection.execute(sql.SQL("CREATE TEMP TABLE incoming (LIKE {}) ON COMMIT DROP").format(name))
    with connection.cursor().copy(sql.SQL("COPY incoming ({}) FROM STDIN").format(columns)) as copy:
        for row in rows:
            copy.write_row(list(row.values()))
    answer = connection.execute(
        sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM incoming ON CONFLICT DO NOTHING").format(name, columns)
    )
    connection.execute("DROP TABLE incoming")
    return answer.rowcount


def _source(workload: str) -> tuple[Any, str]:
    if workload not in SOURCES:
        raise LaptopError(
            f"Workload {workload} has no history to replay: add its source to SOURCES in infra/laptop/replay.py."
        )
    return SOURCES[workload]


def _key(workload: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"replay#{workload}"}, "sk": {"S": "events"}}


def _remember(aws: Aws, table: str, workload: str, day: date) -> None:
    aws.dynamodb.put_item(TableName=table, Item={**_key(workload), "day": {"S": day.isoformat()}})
