"""Trino's SQL over rows in DuckDB: what sqlglot translates, and the two functions that it leaves to others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import duckdb
import sqlglot

from include.lake.resources import table_name
from include.workloads import Workload
from include.workloads.schema import PARTITION_COLUMN, processed_columns

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "double": "DOUBLE",
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
}


@cache
def _in_duckdb(sql: str) -> str:
    return sqlglot.transpile(sql, read="trino", write="duckdb")[0]


class Engine:
    """An empty schema ``nightjar`` with the processed tables of a workload."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.connection = duckdb.connect()
        self.connection.execute("create macro from_base(digits, base) as cast('0x' || digits as bigint)")
        self.connection.execute("create schema nightjar")
        for event_type in workload.events:
            columns = [*processed_columns(workload, event_type), PARTITION_COLUMN]
            listed = ", ".join(f'"{name}" {DUCKDB_TYPES[kind]}' for name, kind in columns)
            self.connection.execute(f"create table nightjar.{table_name(workload.name, event_type)} ({listed})")

    def insert(self, event_type: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Rows of one processed table. known_at and arrived_at are recorded_at unless given; what is absent is null."""
        for row in rows:
            full = {
                "known_at": row["recorded_at"],
                "arrived_at": row["recorded_at"],
                "event_date": row["event_time"][:10],
                **row,
            }
            names = ", ".join(f'"{name}"' for name in full)
            marks = ", ".join("?" for _ in full)
            table = table_name(self.workload.name, event_type)
            self.connection.execute(f"insert into nightjar.{table} ({names}) values ({marks})", list(full.values()))

    def query(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a Trino query."""
        cursor = self.connection.execute(_in_duckdb(sql))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
