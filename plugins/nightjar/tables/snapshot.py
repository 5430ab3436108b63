"""Rows of PostgreSQL tables: one consistent, read-only snapshot, streamed in chunks, as JSON-native values."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from airflow.providers.amazon.aws.hooks.secrets_manager import SecretsManagerHook
from airflow.sdk.log import mask_secret
from psycopg import sql

CONNECT_SECONDS = 15
FETCH_ROWS = 2_000
SECRET_FIELDS = ("host", "port", "dbname", "username", "password")

Row = dict[str, Any]


class Snapshot:
    """One open REPEATABLE READ transaction: every query sees the tables as they were at one instant."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        # The transaction's start, by the database's clock. Rows stamped later by transactions that the snapshot already sees are
        # left to the next run; rows stamped earlier that commit later are what the overlap is for.
        self.upper: datetime = connection.execute("SELECT now()").fetchone()[0].astimezone(UTC)

    def rows(
        self, table: str, columns: Mapping[str, str], watermark: str, low: datetime | None, high: datetime
    ) -> Iterator[Row]:
        """Rows with ``low < watermark <= high`` (``low`` None: from the beginning), in the watermark's order.

        ``columns``: name → type of the workload's schema (string, integer, number, boolean, timestamp). ``table`` may name its
        schema (``public.weather``). Rows whose watermark is null are never read.
        """
        query = sql.SQL(
            "SELECT {columns} FROM {table} WHERE {watermark} <= %(high)s AND {above} ORDER BY {watermark}"
        ).format(
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            table=sql.Identifier(*table.split(".")),
            watermark=sql.Identifier(watermark),
            above=sql.SQL("true") if low is None else sql.SQL("{} > %(low)s").format(sql.Identifier(watermark)),
        )
        with self.connection.cursor(name="nightjar") as cursor:
            cursor.itersize = FETCH_ROWS
            cursor.execute(query, {"low": low, "high": high})
            for values in cursor:
                yield {
                    name: json_value(value, kind, f"{table}.{name}")
                    for (name, kind), value in zip(columns.items(), values, strict=True)
                }


@contextmanager
def snapshot(secret_name: str) -> Iterator[Snapshot]:
    """Opens a snapshot of the database that a Secrets Manager secret names. What the secret holds is never logged."""
    secret = SecretsManagerHook(aws_conn_id=None).get_secret_as_dict(secret_name)
    missing = [field for field in SECRET_FIELDS if field not in secret]
    if missing:
        raise ValueError(f"Secret {secret_name} lacks {', '.join(missing)}. It must hold {', '.join(SECRET_FIELDS)}.")
    mask_secret(secret["password"])
    connection = psycopg.connect(
        host=secret["host"],
        port=secret["port"],
        dbname=secret["dbname"],
        user=secret["username"],
        password=secret["password"],
        connect_timeout=CONNECT_SECONDS,
        application_name="nightjar-ingest",
        options="-c timezone=UTC",
    )
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield Snapshot(connection)


class RowsDigest:
    """A digest of a set of rows that does not depend on their order."""

    def __init__(self) -> None:
        self._sum = 0
        self._rows = 0

    def add(self, row: Row) -> None:
        """One row."""
        self._sum += int.from_bytes(hashlib.sha256(json.dumps(row, sort_keys=True).encode()).digest())
        self._rows += 1

    def text(self) -> str:
        """Row count and 256-bit sum."""
        return f"{self._rows}:{self._sum % 2**256:064x}"


def json_value(value: Any, kind: str, name: str) -> Any:
    """A column's value as JSON has it. Times are ISO 8601 UTC with ``Z`` (those without a zone are taken as UTC); NaN is null.

    Raises TypeError that names the column for a type that has no JSON form here.
    """
    match value:
        case None | bool() | str() | int():
            return value
        case Decimal() | float() if not math.isfinite(value):
            return None
        case Decimal() if kind == "string":
            return str(value)
        case Decimal():
            return int(value) if kind == "integer" and value == value.to_integral_value() else float(value)
        case float():
            return value
        case datetime():
            instant = value if value.tzinfo else value.replace(tzinfo=UTC)
            return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date() if kind == "timestamp":
            return f"{value.isoformat()}T00:00:00Z"
        case date() | time():
            return value.isoformat()
        case UUID():
            return str(value)
        case list() | dict():
            return json.loads(json.dumps(value, allow_nan=False))
    raise TypeError(
        f"{name}: a {type(value).__name__} has no JSON form here. Leave the column out of the workload's schema."
    )
