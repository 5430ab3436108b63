"""Reads one table of a snapshot by its watermark column."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from nightjar.tables.columns import PrintedColumn
from nightjar.tables.values import TIMES, ColumnType, json_text, utc_instant

ROW_BYTES = 1024 * 1024  # one row is in memory at a time
KEPT_BYTES = 1024  # of a row that is too long, values up to this length are still read: the key is among them
NULL = r"\N"  # of COPY
NOT_ASCII = re.compile(r"[^\x00-\x7e]+")
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
        self.unencoded = connection.info.parameter_status("client_encoding") == "SQL_ASCII"
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

    def rows(self, low: datetime | None) -> Generator[TableRow]:
        """Iterates over the rows with ``low < watermark <= upper``, in the watermark's order.

        Args:
            low: None reads from the beginning.
        """
        columns = self._printed_columns()
        long = [column.text for column in columns if column.type.length < 0]
        bytes_ = sql.SQL(" + ").join(sql.SQL("coalesce(octet_length({}), 0)").format(c) for c in long) if long else None
        fits = sql.SQL("({} <= {})").format(bytes_, ROW_BYTES) if bytes_ else sql.SQL("true")
        texts = [
            sql.SQL("CASE WHEN {} OR octet_length({}) <= {} THEN {} END").format(fits, c.text, KEPT_BYTES, c.text)
            for c in columns
        ]
        # OFFSET 0 keeps PostgreSQL from computing a text again at each place that uses it.
        query = sql.SQL(
            "COPY (SELECT mark::text, CASE WHEN {exact} THEN format({form}, VARIADIC ARRAY[{values}]) END, "
            "CASE WHEN NOT {exact} THEN to_json(ARRAY[{fits}::text, {texts}]) END FROM ("
            "SELECT {mark} AS mark, {inner} FROM {table} AS t WHERE {mark} <= {high} AND {above} OFFSET 0"
            ") AS r ORDER BY mark) TO STDOUT"
        ).format(
            exact=sql.SQL("({})").format(sql.SQL(" AND ").join([fits, *self._exact(columns)])),
            form=sql.Literal(self._json_form()),
            values=sql.SQL(", ").join(column.json for column in columns),
            fits=fits,
            texts=sql.SQL(", ").join(texts),
            mark=self.watermark,
            inner=sql.SQL(", ").join(column.inner() for column in columns),
            table=self.table,
            high=sql.Literal(self.upper),
            above=sql.SQL("true") if low is None else sql.SQL("{} > {}").format(self.watermark, sql.Literal(low)),
        )
        encoding, errors = ("utf-8", "surrogateescape") if self.unencoded else (self.connection.info.encoding, "strict")
        with self.connection.cursor().copy(query) as lines:
            for line in lines:
                mark, text, printed = str(line, encoding, errors).split("\t")
                if text == NULL:
                    yield self._row(utc_instant(mark), json.loads(_unescaped(printed)))
                else:
                    yield TableRow(_ascii_json(_unescaped(text)), utc_instant(mark), "")

    def _row(self, written_at: datetime | None, values: list[str | None]) -> TableRow:
        """A row of which the database cannot print the JSON exactly."""
        fits, *texts = values
        refused = [] if fits == "true" else [f"row: has more than {ROW_BYTES} bytes, and its long values are not read"]
        parts = []
        for (name, column), value in zip(self.types.items(), texts, strict=True):
            printed = value.encode(errors="surrogateescape") if value and self.unencoded else value
            text, problem = json_text(printed, column)
            parts.append(f"{json.dumps(name)}:{text}")
            if problem:
                refused.append(f"{name}: {problem}")
        return TableRow(f"{{{','.join(parts)}}}", written_at, "; ".join(refused))

    def _json_form(self) -> str:
        """The format of a row's JSON, with a place for each value."""
        members = (json.dumps(name).replace("%", "%%") + ":%s" for name in self.types)
        return f"{{{','.join(members)}}}"

    def _printed_columns(self) -> list[PrintedColumn]:
        named = ((sql.Identifier("t", self.columns[name][0]), found) for name, found in self.types.items())
        return [PrintedColumn(index, source, found, self.zone) for index, (source, found) in enumerate(named)]

    def _exact(self, columns: list[PrintedColumn]) -> list[sql.Composable]:
        """When the database's JSON of a row is exact: never, if it does not know what its bytes mean."""
        return [sql.SQL("false")] if self.unencoded else [column.exact for column in columns]

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

    def _name(self, name: str) -> str:
        return f"{self.relation}.{self.columns[name][0]}"


def _ascii(text: str | bytes) -> str:
    """Decodes a short text: psycopg returns bytes if the database has no encoding (SQL_ASCII)."""
    return text.decode() if isinstance(text, bytes) else text


def _unescaped(text: str) -> str:
    """A field of COPY with JSON, which has no control character: only backslashes are escaped."""
    return text.replace("\\\\", "\\") if "\\" in text else text


def _ascii_json(text: str) -> str:
    """Escapes what is not ASCII, as json.dumps does."""
    return (
        text if text.isascii() and "\x7f" not in text else NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)
    )
