"""Snapshots of PostgreSQL: consistent, read-only, each table readable whatever is wrong with another one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from nightjar.tables.connection import connect
from nightjar.tables.reader import TableError, TableReader

log = logging.getLogger(__name__)

# Poolers keep a setting for the next client unless it is of one transaction (``true``: SET LOCAL).
_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lock_timeout": "60s",
    "statement_timeout": "0",  # one statement reads a table, as fast as its rows are written
}
# One statement, so that every transaction that began before now() is either listed or visible in a later snapshot.
_OPEN_TRANSACTIONS = """
    SELECT (extract(epoch FROM now()) * 1000000)::int8, (extract(epoch FROM min(xact_start)) * 1000000)::int8,
        count(*) FILTER (WHERE xact_start IS NULL AND backend_xid IS NOT NULL)
    FROM (
        SELECT xact_start, backend_xid FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
            AND coalesce(backend_type, 'client backend') = 'client backend' -- null: of a role that is not shown
        UNION ALL
        SELECT prepared, transaction FROM pg_prepared_xacts WHERE database = current_database()
    ) AS open
"""


def utc_now() -> datetime:
    """Returns the present."""
    return datetime.now(UTC)


class Snapshot:
    """One open REPEATABLE READ transaction: every query sees the tables as they were at one instant.

    Attributes:
        upper: An instant just before the snapshot, by the database's clock, and not in the future by this process's.
            Rows with a later time stamp, written by transactions that the snapshot already sees, belong to the next
            snapshot.
        oldest_open: When the oldest transaction began that was open at ``upper``, or ``upper`` if there was none. Its
            rows are in no snapshot yet, and may be stamped with any time after its beginning.
        errors: The exceptions of :meth:`table` that concern only that table.
    """

    errors: tuple[type[Exception], ...] = (TableError,)

    def __init__(self, connection: psycopg.Connection[Any], upper: datetime, oldest_open: datetime) -> None:
        self.connection = connection
        self.upper = upper
        self.oldest_open = oldest_open

    @contextmanager
    def table(
        self, relation: str, columns: Mapping[str, tuple[str, str]], watermark: str, zone: str | None
    ) -> Iterator[TableReader]:
        """Opens a table.

        Args:
            relation: The table's or view's name; it may begin with the schema (``sales.Weather``). No quotes: the name
                is taken as it is, with its upper and lower case.
            columns: Field → (the column's name, the type that the caller declares: string, integer, number, boolean or
                timestamp).
            watermark: The field that holds the time at which a row was last written.
            zone: The time zone of columns without one.

        Raises:
            TableError: The table cannot be read. Other tables can: the error is undone.
        """
        try:
            with self.connection.transaction():  # a savepoint
                yield TableReader(self.connection, self.upper, relation, columns, watermark, zone)
        except psycopg.Error as error:
            if self.connection.closed:
                raise
            raise TableError(f"{relation}: {error}") from error


@contextmanager
def snapshot(secret_name: str, clock: Callable[[], datetime] = utc_now) -> Iterator[Snapshot]:
    """Opens a snapshot of a database.

    Args:
        secret_name: See :func:`nightjar.tables.connection.connect`.
        clock: Returns the present.
    """
    with connect(secret_name) as connection:
        upper, oldest_open = _bounds(connection, clock)
        connection.autocommit = False
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        for name, value in _SETTINGS.items():
            connection.execute("SELECT set_config(%s, %s, true)", (name, value))
        yield Snapshot(connection, upper, oldest_open)


def _bounds(connection: psycopg.Connection[Any], clock: Callable[[], datetime]) -> tuple[datetime, datetime]:
    """Upper bound and beginning of the oldest open transaction. Numbers, because texts depend on settings."""
    row = connection.execute(_OPEN_TRANSACTIONS).fetchone()
    assert row is not None  # an aggregate returns one row
    now, oldest, hidden = row
    if hidden:
        log.warning(
            "%d open transactions of other roles do not show when they began, and may be older than the overlap. Grant "
            "pg_read_all_stats to the role that reads.",
            hidden,
        )
    upper = min(_from_epoch(now), clock())
    return upper, upper if oldest is None else min(upper, _from_epoch(oldest))


def _from_epoch(microseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
