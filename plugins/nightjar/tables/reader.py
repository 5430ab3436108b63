"""Reads one table of a snapshot by its watermark column."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from nightjar.tables.values import TIMES, ColumnType, json_text, utc_instant

# A fetch holds at most their product in memory, twice.
FETCH_ROWS = 25
ROW_BYTES = 1024 * 1024
KEPT_BYTES = 1024  # of a row that is too long, values up to this length are still read: the key is among them
CLOCKS_DIFFER = timedelta(hours=1)  # rows stamped further in the future are counted


class TableError(ValueError):
    """A table cannot be read; the text names the table, and the column where one is the cause."""


class TableRow(NamedTuple):
    """One row.

    Attributes:
        text: A JSON object on one line.
        written_at: The watermark column; None if it is before the year 1.
        refused: Why the row is not fit for use, by column; empty if it is.
    """

    text: str
    written_at: datetime | None
    refused: str


class Unread(NamedTuple):
    """Rows that no run reads."""

    without_watermark: int
    """The watermark column is null."""
    in_future: int
    """The watermark column is in the future, or infinity."""


class TableReader:
    """One table in an open snapshot.

    Attributes:
        granularity: What the watermark column cannot tell apart: a day if it is a date, else nothing.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        upper: datetime,
        relation: str,
        columns: Mapping[str, tuple[str, str]],
        watermark: str,
        zone: str | None,
    ) -> None:
        self.connection = connection
        self.upper = upper
        self.relation = relation
        self.columns = columns
        self.zone = zone
        self.table = sql.Identifier(*relation.split(".", 1))
        self.types = self._types()
        self.watermark = self._watermark(watermark)
        self.granularity = timedelta(days=1 if self.types[watermark].name == "date" else 0)

    def unread(self) -> Unread:
        """Counts the rows whose watermark is null or more than an hour in the future."""
        query = sql.SQL(
            "SELECT count(*) FILTER (WHERE {mark} IS NULL), count(*) FILTER (WHERE {mark} > {limit}) FROM {table} AS t "
            "WHERE {mark} IS NULL OR {mark} > {limit}"
        ).format(mark=self.watermark, table=self.table, limit=sql.Literal(self.upper + CLOCKS_DIFFER))
        return Unread(*self.connection.execute(query).fetchone() or (0, 0))

    def rows(self, low: datetime | None) -> Iterator[TableRow]:
        """Iterates over the rows with ``low < watermark <= upper``, in the watermark's order.

        Args:
            low: None reads from the beginning.
        """
        names = list(self.columns)
        inner = [sql.SQL("{} AS {}").format(self._text(name), _column(i)) for i, name in enumerate(names)]
        long = [_column(i) for i, name in enumerate(names) if self.types[name].length < 0]
        bytes_ = sql.SQL(" + ").join(sql.SQL("coalesce(octet_length({}), 0)").format(c) for c in long) if long else None
        fits = sql.SQL("({} <= {})").format(bytes_, ROW_BYTES) if bytes_ else sql.SQL("true")
        outer = [
            sql.SQL("CASE WHEN {} OR octet_length({}) <= {} THEN {} END").format(fits, column, KEPT_BYTES, column)
            if column in long
            else column
            for column in map(_column, range(len(names)))
        ]
        query = sql.SQL(
            "SELECT mark::text, {fits}, {outer} FROM (SELECT {mark} AS mark, {inner} FROM {table} AS t "
            "WHERE {mark} <= {high} AND {above}) AS r ORDER BY mark"
        ).format(
            fits=fits,
            outer=sql.SQL(", ").join(outer),
            inner=sql.SQL(", ").join(inner),
            mark=self.watermark,
            table=self.table,
            high=sql.Literal(self.upper),
            above=sql.SQL("true") if low is None else sql.SQL("{} > {}").format(self.watermark, sql.Literal(low)),
        )
        with self.connection.cursor(name="nightjar") as cursor:
            cursor.itersize = FETCH_ROWS
            cursor.execute(query)
            for mark, fit, *values in cursor:
                yield self._row(mark, fit, values)

    def _row(self, mark: str | bytes, fits: bool, values: list[Any]) -> TableRow:
        parts, refused = [], [] if fits else [f"row: has more than {ROW_BYTES} bytes, and its long values are not read"]
        for (name, column), value in zip(self.types.items(), values, strict=True):
            text, problem = json_text(value, column)
            parts.append(f"{json.dumps(name)}:{text}")
            if problem:
                refused.append(f"{name}: {problem}")
        return TableRow(f"{{{','.join(parts)}}}", utc_instant(_ascii(mark)), "; ".join(refused))

    def _types(self) -> dict[str, ColumnType]:
        """The type of each column, in order."""
        columns = sql.SQL(", ").join(sql.Identifier(column) for column, _ in self.columns.values())
        empty = self.connection.execute(sql.SQL("SELECT {} FROM {} LIMIT 0").format(columns, self.table))
        oids = [column.type_code for column in empty.description or ()]
        query = "SELECT oid::int8, typname::text, typcategory::text, typlen::int4 FROM pg_type WHERE oid = ANY(%s)"
        types = {
            oid: (_ascii(name), _ascii(category), length)
            for oid, name, category, length in self.connection.execute(query, (oids,))
        }
        found = {
            name: ColumnType(*types[oid], kind)
            for oid, (name, (_, kind)) in zip(oids, self.columns.items(), strict=True)
        }
        for name, column in found.items():
            if column.kind == "timestamp" and column.name in ("timestamp", "date") and self.zone is None:
                raise TableError(
                    f"{self._name(name)} has the type {column.name}, which has no time zone. Declare which one is "
                    "meant (database: zone), or make the column timestamptz."
                )
        return found

    def _watermark(self, name: str) -> sql.Composable:
        """The watermark column as a timestamptz."""
        column, found = sql.Identifier("t", self.columns[name][0]), self.types[name]
        if found.name not in TIMES:
            raise TableError(
                f"{self._name(name)} has the type {found.name}, but a watermark must be timestamptz, timestamp or date."
            )
        if found.name == "timestamptz":
            return column
        # Outside of these years the conversion to a zone can fail.
        return sql.SQL(
            "(CASE WHEN {c} >= '10000-01-01' THEN 'infinity' WHEN {c} < '0001-01-02' THEN '-infinity' "
            "ELSE {c}::timestamp AT TIME ZONE {zone} END)"
        ).format(c=column, zone=sql.Literal(self.zone))

    def _text(self, name: str) -> sql.Composable:
        """A column as the text that :func:`nightjar.tables.values.json_text` expects."""
        column, found = sql.Identifier("t", self.columns[name][0]), self.types[name]
        if found.category in "AC":
            return sql.SQL("to_json({})::text").format(column)
        if found.kind == "timestamp" and found.name in ("timestamp", "date"):
            return sql.SQL(
                "(CASE WHEN {c} >= '0001-01-02' AND {c} < '9999-12-31' "
                "THEN ({c}::timestamp AT TIME ZONE {zone})::text ELSE {c}::text END)"
            ).format(c=column, zone=sql.Literal(self.zone))
        return sql.SQL("{}::text").format(column)

    def _name(self, name: str) -> str:
        return f"{self.relation}.{self.columns[name][0]}"


def _ascii(text: str | bytes) -> str:
    """Decodes a short text: psycopg returns bytes if the database has no encoding (SQL_ASCII)."""
    return text.decode() if isinstance(text, bytes) else text


def _column(index: int) -> sql.Identifier:
    return sql.Identifier(f"c{index}")
