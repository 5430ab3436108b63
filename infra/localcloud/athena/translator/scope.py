"""The types of expressions, from DuckDB's binder: it describes the query's FROM clause over empty tables.

Trino decides by type where DuckDB does not (``7/2``, ``sum``, ``cast(x as varchar)``, ``date = varchar``), so a
translation without types would be silently wrong.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import duckdb
from sqlglot import exp

from infra.localcloud.athena.translator import macros
from infra.localcloud.athena.translator.fragments import text
from infra.localcloud.athena.types import quoted_name

_NUMBERS = itertools.count(1)


@dataclass
class Scope:
    """The tables and names that the expressions of one SELECT can use.

    Attributes:
        connection: A connection with the query's tables, empty.
        outer: The scope of the query around this one.
        ctes: The WITH queries so far, in the same form.
        sources: The parts of the FROM clause so far, as DuckDB text with the same names and types; a subquery is
            replaced by an empty table, so that each lookup of a type does not bind the subquery again.
        group: The translated GROUP BY clause.
        lambda_names: The parameters of the lambdas around an expression whose types are not known.
        lambda_types: The parameters of known type: name and DuckDB type.
        known: The types that were found, by the expression's text.
    """

    connection: duckdb.DuckDBPyConnection
    outer: Scope | None = None
    ctes: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    group: str = ""
    lambda_names: frozenset[str] = frozenset()
    lambda_types: dict[str, str] = field(default_factory=dict)
    known: dict[str, str | None] = field(default_factory=dict)

    def inner(self) -> Scope:
        """Makes the scope of a query inside this one."""
        return Scope(self.connection, outer=self)

    def prelude(self) -> str:
        """Writes the WITH clause of every query that is visible here, outermost first."""
        scope: Scope | None = self
        ctes: list[str] = []
        while scope is not None:
            ctes = scope.ctes + ctes
            scope = scope.outer
        return "WITH " + ", ".join(ctes) + " " if ctes else ""

    def select(self, expression: str, *, grouped: bool = False) -> str:
        """Writes a SELECT of one expression from the scope's sources."""
        sources = " FROM " + " ".join(self.sources) if self.sources else ""
        group = self.group if grouped else ""
        if self.lambda_types:
            values = ", ".join(f'CAST(NULL AS {found}) AS "{name}"' for name, found in self.lambda_types.items())
            sources = (f"{sources} CROSS JOIN" if sources else " FROM") + f" (SELECT {values}) AS nj_lambda"
            group = group and group + "".join(f', "{name}"' for name in self.lambda_types)
        return f"SELECT {expression}{sources}{group}"

    def add_query(self, alias: str, query: exp.Expr) -> None:
        """Adds a translated WITH query.

        Args:
            alias: Its name and column names as DuckDB text.
            query: The query.
        """
        table = self.table_like(query)
        self.ctes.append(f"{alias} AS (SELECT * FROM {table})" if table else f"{alias} AS ({text(query)})")

    def source_text(self, node: exp.Expr) -> str:
        """Writes a translated part of a FROM clause for lookups of types."""
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
            table = self.table_like(node.this)
            if table:
                alias = node.args.get("alias")
                return table + (f" AS {text(alias)}" if alias else "")
        return text(node)

    def table_like(self, query: exp.Expr) -> str | None:
        """Creates an empty table with the columns of a translated query.

        Returns:
            The table's name; None if no table can stand for the query, because it uses columns of an outer query, two
            of its columns have one name, or a column has no type.
        """
        described = self.columns_of(text(query))
        if described is None:
            return None
        names = [column.lower() for column, _ in described]
        if len(set(names)) < len(names) or any("NULL" in found for _, found in described):
            return None
        name = f"nj_scope_{next(_NUMBERS)}"
        columns = ", ".join(f"{quoted_name(column)} {found}" for column, found in described)
        self.connection.execute(f"CREATE TEMP TABLE {name} ({columns})")
        return name

    def type_of(self, node: exp.Expr) -> str | None:
        """Finds the DuckDB type of a translated expression.

        Returns:
            None if the binder cannot tell: a lambda's parameter, or an unknown name.
        """
        if isinstance(node.unnest(), exp.Null):
            return '"NULL"'
        if isinstance(node, exp.Literal) and node.is_string:
            return "VARCHAR"
        if self.lambda_names and any(
            str(name.this).lower() in self.lambda_names for name in node.find_all(exp.Identifier)
        ):
            return None
        written = text(node)
        if written not in self.known:
            self.known[written] = self._describe(written)
        return self.known[written]

    def columns_of(self, query: str) -> list[tuple[str, str]] | None:
        """Returns names and DuckDB types of a translated query's columns; None if the binder cannot tell."""
        macros.install_called(self.connection, self.prelude() + query)
        try:
            rows = self.connection.execute(f"DESCRIBE {self.prelude()}{query}").fetchall()
        except duckdb.Error:
            return None
        return [(str(row[0]), str(row[1])) for row in rows]

    def remember(self, node: exp.Expr, duckdb_type: str) -> None:
        """Keeps the type of a translated expression whose rule gives it, so that it is not looked up."""
        self.known[text(node)] = duckdb_type

    def _describe(self, expression: str) -> str | None:
        attempts = [self.select(expression), self.select(expression, grouped=True)]
        scope, nested = self.outer, self.select(expression)
        while scope is not None:
            if scope.sources:
                nested = scope.select(f"({nested} LIMIT 1)")
                attempts.append(nested)
            scope = scope.outer
        for attempt in attempts:
            macros.install_called(self.connection, self.prelude() + attempt)
            try:
                # Binds the query without executing it; DESCRIBE takes four times as long.
                return str(self.connection.sql(self.prelude() + attempt).types[0])
            except duckdb.Error:
                continue
        return None
