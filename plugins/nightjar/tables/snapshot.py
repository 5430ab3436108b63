"""Snapshots of PostgreSQL: consistent, read-only, with rows streamed in chunks as JSON-native values."""

from __future__ import annotations

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
    """One open REPEATABLE READ transaction: every query sees the tables as they were at one instant.

    Attributes:
        upper: The instant at which the transaction began, by the database's clock. Rows with a later time stamp,
            written by transactions that the snapshot already sees, belong to the next snapshot. Rows with an earlier
            time stamp whose transactions commit later are in no snapshot before the next one.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        row = connection.execute("SELECT now()").fetchone()
        assert row is not None  # a SELECT without FROM returns one row
        self.upper: datetime = row[0].astimezone(UTC)

    def rows(
        self, table: str, columns: Mapping[str, str], ordered_by: str, low: datetime | None, high: datetime
    ) -> Iterator[Row]:
        """Iterates over the rows with ``low < ordered_by <= high`` in that column's order. Nulls are left out.

        Args:
            table: The table's name; it may contain the schema (``public.weather``).
            columns: Name → type (string, integer, number, boolean, timestamp) of each column to read.
            ordered_by: A timestamp column.
            low: None reads from the beginning.
            high: The upper bound, included.
        """
        query = sql.SQL("SELECT {columns} FROM {table} WHERE {order} <= %(high)s AND {above} ORDER BY {order}").format(
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            table=sql.Identifier(*table.split(".")),
            order=sql.Identifier(ordered_by),
            above=sql.SQL("true") if low is None else sql.SQL("{} > %(low)s").format(sql.Identifier(ordered_by)),
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
    """Opens a snapshot of a database. Its password is never logged.

    Args:
        secret_name: Secrets Manager secret: a JSON object with the fields of ``SECRET_FIELDS``.

    Raises:
        ValueError: The secret lacks a field.
    """
    secret = SecretsManagerHook(aws_conn_id=None).get_secret_as_dict(secret_name)
    missing = [field for field in SECRET_FIELDS if field not in secret]
    if missing:
        raise ValueError(
            f"Secret {secret_name} lacks {', '.join(missing)}. It must contain {', '.join(SECRET_FIELDS)}."
        )
    mask_secret(secret["password"])
    connection = psycopg.connect(
        host=secret["host"],
        port=secret["port"],
        dbname=secret["dbname"],
        user=secret["username"],
        password=secret["password"],
        connect_timeout=CONNECT_SECONDS,
        application_name="nightjar",
        options="-c timezone=UTC",
    )
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield Snapshot(connection)


def json_value(value: Any, kind: str, name: str) -> Any:
    """Converts a column's value to a JSON-native one.

    Times become ISO 8601 UTC with ``Z`` (those without a zone are taken as UTC); NaN and infinities become null.

    Args:
        value: What psycopg returned.
        kind: The type that the caller declares for the column: string, integer, number, boolean or timestamp.
        name: The column's name, for the error.

    Raises:
        TypeError: The value's type has no JSON form here; the text names the column.
    """
    match value:
        case None | bool() | str() | int():
            return value
        case Decimal() | float() if not math.isfinite(value):
            return None
        case Decimal():
            return _decimal(value, kind)
        case float():
            return value
        case datetime() | date() | time():
            return _time(value, kind)
        case UUID():
            return str(value)
        case list() | dict():
            return json.loads(json.dumps(value, allow_nan=False))
    raise TypeError(
        f"{name}: a {type(value).__name__} has no JSON form here. Leave the column out of the list of columns to read."
    )


def _decimal(value: Decimal, kind: str) -> str | int | float:
    if kind == "string":
        return str(value)
    return int(value) if kind == "integer" and value == value.to_integral_value() else float(value)


def _time(value: datetime | date | time, kind: str) -> str:
    if isinstance(value, datetime):
        instant = value if value.tzinfo else value.replace(tzinfo=UTC)
        # Not of a fixed width, unlike the instants of include, which a plugin cannot import: a reader must parse it.
        return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date) and kind == "timestamp":
        return f"{value.isoformat()}T00:00:00Z"
    return value.isoformat()
