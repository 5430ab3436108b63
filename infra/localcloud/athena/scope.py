"""Types of expressions, found by asking DuckDB's binder: the same FROM over empty tables of the catalog's types.

Trino decides by type where DuckDB does not (``7/2``, ``sum``, ``cast(x as varchar)``, ``date = varchar``), so a
translation without types would be silently wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb
from sqlglot import exp

from .raw import text


@dataclass
class Scope:
    """What the expressions of one SELECT see. ``sources`` grows as its FROM clause is translated."""

    connection: duckdb.DuckDBPyConnection
    outer: Scope | None = None
    ctes: list[str] = field(default_factory=list)
    recursive: bool = False
    sources: list[str] = field(default_factory=list)
    group: str = ""
    windows: str = ""
    lambda_names: frozenset[str] = frozenset()
    known: dict[str, str | None] = field(default_factory=dict)

    def inner(self) -> Scope:
        """The scope of a query inside this one."""
        return Scope(self.connection, outer=self, recursive=self.recursive)

    def prelude(self) -> str:
        """Every WITH query that is visible here, outermost first."""
        scope: Scope | None = self
        ctes: list[str] = []
        while scope is not None:
            ctes = scope.ctes + ctes
            scope = scope.outer
        return ("WITH RECURSIVE " if self.recursive else "WITH ") + ", ".join(ctes) + " " if ctes else ""

    def select(self, expression: str, *, grouped: bool = False) -> str:
        sources = " FROM " + " ".join(self.sources) if self.sources else ""
        return f"SELECT {expression}{sources}" + (self.group if grouped else "")

    def type_of(self, node: exp.Expression) -> str | None:
        """DuckDB's name of the type; None where the binder cannot tell (a lambda's parameter, an unknown name)."""
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
            self.known[written] = self._ask(written)
        return self.known[written]

    def _ask(self, expression: str) -> str | None:
        attempts = [self.select(expression), self.select(expression, grouped=True)]
        scope, nested = self.outer, self.select(expression)
        while scope is not None:
            if scope.sources:
                nested = scope.select(f"({nested} LIMIT 1)")
                attempts.append(nested)
            scope = scope.outer
        for attempt in attempts:
            try:
                rows = self.connection.execute(f"DESCRIBE {self.prelude()}{attempt}").fetchall()
            except duckdb.Error:
                continue
            return str(rows[0][1])
        return None
