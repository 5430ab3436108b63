"""SQL that prints the columns of a table: each as text, and as JSON where the database prints that exactly."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from nightjar.tables.values import NUMBER, TIMES, ColumnType

_WHOLE = {"int2", "int4", "int8"}
_FINITE_OR_NOT = {"float4", "float8", "numeric"}
_ISO = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


@dataclass(frozen=True)
class PrintedColumn:
    """A column of a query with an inner select, in a session with the settings of a snapshot.

    What :attr:`json` prints is what :func:`nightjar.tables.values.json_text` makes of the text, where :attr:`exact`
    holds, but that it may have characters that are not ASCII where the other has escapes.

    Attributes:
        index: Its number in the query.
        source: The column in the database.
        type: Its type.
        zone: The time zone of types without one.
    """

    index: int
    source: sql.Identifier
    type: ColumnType
    zone: str | None

    @property
    def text(self) -> sql.Identifier:
        """The inner select's name of the text."""
        return sql.Identifier(f"c{self.index}")

    @property
    def _instant(self) -> sql.Identifier:
        return sql.Identifier(f"v{self.index}")

    @property
    def _is_time(self) -> bool:
        return self.type.name == "timestamptz" or self._is_local_time

    @property
    def _is_local_time(self) -> bool:
        return self.type.kind == "timestamp" and self.type.name in TIMES - {"timestamptz"}

    @property
    def _is_json(self) -> bool:
        return self.type.name in ("json", "jsonb") or self.type.category in "AC"

    def inner(self) -> sql.Composable:
        """What the inner select has of the column."""
        text = sql.SQL("{} AS {}").format(self._printed(), self.text)
        if not self._is_time:
            return text
        instant = self._in_zone() if self._is_local_time else self.source
        return sql.SQL("{}, {} AS {}").format(text, instant, self._instant)

    def _printed(self) -> sql.Composable:
        if self.type.category in "AC":
            return sql.SQL("to_json({})::text").format(self.source)
        if self._is_local_time:
            return sql.SQL("coalesce({}::text, {}::text)").format(self._in_zone(), self.source)
        return sql.SQL("{}::text").format(self.source)

    def _in_zone(self) -> sql.Composable:
        """A time without a zone as an instant; null outside of these years, where the conversion can fail."""
        return sql.SQL(
            "(CASE WHEN {c} >= '0001-01-02' AND {c} < '9999-12-31' THEN {c}::timestamp AT TIME ZONE {zone} END)"
        ).format(c=self.source, zone=sql.Literal(self.zone))

    @property
    def json(self) -> sql.Composable:
        """The value as JSON."""
        return sql.SQL("coalesce({}, 'null')").format(self._json())

    def _json(self) -> sql.Composable:
        if self._is_time:
            return sql.SQL("'\"' || to_char({}, {}) || '\"'").format(self._instant, sql.Literal(_ISO))
        if self.type.kind != "string":
            if self.type.category == "N" or self.type.name == "bool":
                return self.text
            if self._is_json:
                return self._without_line_breaks()
        return sql.SQL("to_json({})::text").format(self.text)

    def _without_line_breaks(self) -> sql.Composable:
        return sql.SQL("translate({}, {}, '  ')").format(self.text, sql.Literal("\r\n"))

    @property
    def exact(self) -> sql.Composable:
        """Whether :attr:`json` is exact."""
        if self._is_time:
            return sql.SQL(
                "coalesce({v} >= '0001-01-01 00:00+00' AND {v} < '10000-01-01 00:00+00', {c} IS NULL)"
            ).format(v=self._instant, c=self.text)
        if self.type.kind != "string":
            if self.type.name in _FINITE_OR_NOT:
                return sql.SQL("coalesce({} NOT IN ('NaN', 'Infinity', '-Infinity'), true)").format(self.text)
            if self.type.category == "N" and self.type.name not in _WHOLE:
                return sql.SQL("coalesce({} ~ {}, true)").format(self.text, sql.Literal(f"^{NUMBER.pattern}$"))
            if self._is_json:  # what is escaped in it stays as it is
                return sql.SQL("coalesce({} ~ '^[ -~]*$', true)").format(self._without_line_breaks())
        return sql.SQL("true")
