"""Trino's queries in DuckDB: parsed as Athena reads them, every node and every function checked against a list.

A node or function that is not on a list is refused by name: a query either answers as Athena does or fails.
"""

from __future__ import annotations

from typing import ClassVar

import duckdb
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType

from . import operators
from .errors import QueryFailed, Refused
from .expressions import Expressions
from .raw import Raw, bracketed, raw, text
from .scope import Scope


def _literal(kind: exp.DataType.Type) -> object:
    def parse(self: object, this: exp.Expression, _: object) -> exp.Expression:
        written = exp.Cast(this=this, to=exp.DataType(this=kind))
        written.meta["literal"] = True
        return written

    return parse


class AthenaQueries(Trino):
    """Trino's syntax with every function kept under its own name (sqlglot would translate some of them wrongly)."""

    INDEX_OFFSET = 0

    class Parser(Trino.Parser):
        FUNCTIONS: ClassVar[dict] = {}
        FUNCTION_PARSERS: ClassVar[dict] = {
            name: parser
            for name, parser in Trino.Parser.FUNCTION_PARSERS.items()
            if name in ("CAST", "TRY_CAST", "EXTRACT", "POSITION", "SUBSTRING", "TRIM")
        }
        TYPE_LITERAL_PARSERS: ClassVar[dict] = {
            **Trino.Parser.TYPE_LITERAL_PARSERS,
            exp.DataType.Type.TIMESTAMP: _literal(exp.DataType.Type.TIMESTAMP),
        }


def parse(sql: str) -> exp.Expression:
    """One Trino query; a syntax error raises :class:`QueryFailed`."""
    try:
        if any(token.token_type == TokenType.DCOLON for token in AthenaQueries().tokenize(sql)):
            raise QueryFailed("SYNTAX_ERROR: mismatched input '::'. Trino writes CAST(value AS type)")
        trees = [tree for tree in AthenaQueries().parse(sql) if tree is not None]
    except SqlglotError as error:
        raise QueryFailed(f"SYNTAX_ERROR: {str(error).splitlines()[0]}") from None
    if len(trees) != 1:
        raise QueryFailed(f"SYNTAX_ERROR: Only one sql statement is allowed. Got: {len(trees)}")
    if isinstance(trees[0], exp.Values):
        rows = trees[0].expressions
        names = ", ".join(
            f"_col{index}" for index in range(len(rows[0].expressions) if isinstance(rows[0], exp.Tuple) else 1)
        )
        return parse(f"SELECT * FROM ({sql}) AS rows({names})")
    if not isinstance(trees[0], exp.Query):
        raise Refused(f"the statement {type(trees[0]).__name__.upper()}")
    return trees[0]


def translate(tree: exp.Expression, connection: duckdb.DuckDBPyConnection) -> str:
    """DuckDB's text of a parsed query. ``connection`` holds the macros and every table of the query, as ``schema.table``."""
    tree = tree.copy()
    name_columns(tree)
    return text(_Queries().query(tree, Scope(connection)))


def condition(tree: exp.Expression, scope: Scope) -> exp.Expression:
    """A translated condition, as it stands in a WHERE clause of a query with this scope."""
    return _Queries().expression(tree, scope)


def name_columns(tree: exp.Expression) -> None:
    """Gives the outermost columns without a name Trino's names."""
    while isinstance(tree, (exp.SetOperation, exp.Subquery)):
        tree = tree.this
    if isinstance(tree, exp.Select):
        named = []
        for index, column in enumerate(tree.expressions):
            plain = isinstance(column, (exp.Column, exp.Alias, exp.Star, exp.Dot))
            named.append(column if plain else exp.alias_(column, f"_col{index}", quoted=True))
        tree.set("expressions", named)


class _Queries(Expressions):
    def query(self, tree: exp.Expression, scope: Scope) -> exp.Expression:
        """A query, in a scope of its own."""
        self._with(tree, scope)
        if isinstance(tree, exp.Subquery):
            tree.set("this", self.query(tree.this, scope.inner()))
            self._only(tree, {"this", "alias", "with_", "order", "limit", "offset"})
            self._parts(tree, scope, ("order", "limit", "offset"))
            return tree
        if isinstance(tree, exp.SetOperation):
            for side in ("this", "expression"):
                tree.set(side, self.query(tree.args[side], scope.inner()))
            self._only(tree, {"this", "expression", "distinct", "with_", "order", "limit", "offset"})
            if tree.args.get("by_name"):
                raise Refused("UNION BY NAME")
            self._parts(tree, scope, ("limit", "offset"))
            return tree
        if isinstance(tree, exp.Values):
            self._rows(tree, scope)
            return tree
        if isinstance(tree, exp.Table):
            return tree
        if not isinstance(tree, exp.Select):
            raise Refused(f"{type(tree).__name__}")
        return self._select(tree, scope)

    def _select(self, tree: exp.Select, scope: Scope) -> exp.Select:
        self._only(
            tree,
            {
                "with_",
                "expressions",
                "distinct",
                "from_",
                "joins",
                "where",
                "group",
                "having",
                "windows",
                "order",
                "limit",
                "offset",
                "laterals",
                "kind",
                "hint",
                "operation_modifiers",
            },
        )
        if tree.args.get("kind") or tree.args.get("laterals"):
            raise Refused("SELECT AS STRUCT or LATERAL VIEW")
        source = tree.args.get("from_")
        if source is not None:
            source.set("this", self._source(source.this, scope))
            scope.sources.append(text(source.this))
        for join in tree.args.get("joins") or []:
            self._join(join, scope)
        self._no_aliases(tree, scope)
        self._parts(tree, scope, ("where",))
        if tree.args.get("where"):
            operators.boolean(tree.args["where"].this, scope, "WHERE clause")
        if tree.args.get("windows"):
            raise Refused("the WINDOW clause", "Write the window after OVER.")
        self._parts(tree, scope, ("group",))
        if tree.args.get("group"):
            scope.group = " " + text(tree.args["group"])
            if any(isinstance(item, exp.Literal) for item in tree.args["group"].expressions):
                scope.group = ""
        tree.set("expressions", [self.expression(item, scope) for item in tree.expressions])
        distinct = tree.args.get("distinct")
        if distinct is not None and distinct.args.get("on"):
            raise QueryFailed("SYNTAX_ERROR: mismatched input 'ON': Trino has no DISTINCT ON")
        self._parts(tree, scope, ("having", "order", "limit", "offset"))
        return tree

    @staticmethod
    def _no_aliases(tree: exp.Select, scope: Scope) -> None:
        """Fails where a column's alias is used beside or below it: DuckDB allows that, Trino only in ORDER BY."""
        aliases = {item.alias.lower() for item in tree.expressions if isinstance(item, exp.Alias)}
        parts = [*tree.expressions, *(tree.args[name] for name in ("where", "group", "having") if tree.args.get(name))]
        for column in (column for part in parts for column in part.find_all(exp.Column)):
            if (
                not column.table
                and column.name.lower() in aliases
                and column.parent_select is tree
                and scope.type_of(column) is None
            ):
                raise QueryFailed(
                    f"COLUMN_NOT_FOUND: Column '{column.name}' cannot be resolved: an alias is not known here"
                )

    def _with(self, tree: exp.Expression, scope: Scope) -> None:
        with_ = tree.args.get("with_")
        if with_ is None:
            return
        scope.recursive = scope.recursive or bool(with_.args.get("recursive"))
        if with_.args.get("recursive"):
            raise Refused("WITH RECURSIVE")
        for cte in with_.expressions:
            cte.set("this", self.query(cte.this, scope.inner()))
            scope.ctes.append(text(cte))

    def _join(self, join: exp.Join, scope: Scope) -> None:
        self._only(join, {"this", "kind", "side", "on", "using"})
        if str(join.args.get("kind") or "").upper() in ("SEMI", "ANTI", "STRAIGHT", "ASOF"):
            raise Refused(f"a {join.args['kind']} join")
        join.set("this", self._source(join.this, scope))
        bare = join.copy()
        if join.args.get("on") is not None:
            bare.set("on", exp.Boolean(this=True))
        scope.sources.append(text(bare))
        if join.args.get("on") is not None:
            join.set("on", self.expression(join.args["on"], scope))
            operators.boolean(join.args["on"], scope, "JOIN ON clause")

    def _source(self, node: exp.Expression, scope: Scope) -> exp.Expression:
        if isinstance(node, exp.Table):
            self._only(node, {"this", "db", "catalog", "alias"})
            if not isinstance(node.this, exp.Identifier):
                raise Refused(f"the table function {node.sql(dialect='trino')}")
            node.set("catalog", None)
            return node
        if isinstance(node, exp.Subquery):
            inner = scope.inner()
            self._only(node, {"this", "alias", "with_"})
            node.set("this", self.query(node.this, inner))
            return node
        if isinstance(node, exp.Values):
            self._rows(node, scope)
            return node
        if isinstance(node, exp.Unnest):
            return self._unnest(node, scope)
        raise Refused(f"{type(node).__name__} in a FROM clause")

    def _rows(self, tree: exp.Values, scope: Scope) -> None:
        self._only(tree, {"expressions", "alias", "order", "limit", "offset"})
        rows = []
        for row in tree.expressions:
            items = row.expressions if isinstance(row, exp.Tuple) else [row]
            rows.append(exp.Tuple(expressions=[self.expression(item, scope) for item in items]))
        tree.set("expressions", rows)

    def _unnest(self, node: exp.Unnest, scope: Scope) -> exp.Expression:
        self._only(node, {"expressions", "alias", "offset"})
        values = [self.expression(item, scope) for item in node.expressions]
        alias = node.args.get("alias")
        if alias is not None and isinstance(node.args.get("offset"), exp.Identifier):
            alias.append("columns", node.args["offset"])
        kinds = [scope.type_of(value) for value in values]
        if any(
            found is None or found.startswith("STRUCT") or (found.startswith("STRUCT(") and found.endswith("[]"))
            for found in kinds
        ):
            raise Refused("UNNEST of rows or of something whose type is not known")
        columns = []
        for value, found in zip(values, kinds, strict=True):
            if str(found).startswith("MAP("):
                columns += [raw("map_keys({0})", value), raw("map_values({0})", value)]
            else:
                columns.append(value)
        if len(columns) == 1:
            ordinality = " WITH ORDINALITY" if node.args.get("offset") else ""
            return Raw(this=f"UNNEST({text(columns[0])}){ordinality}" + (f" AS {text(alias)}" if alias else ""))
        if node.args.get("offset"):
            longest = ", ".join(f"len({bracketed(column)})" for column in columns)
            columns.append(Raw(this=f"generate_series(1, greatest({longest}))"))
        listed = ", ".join(f"unnest({text(column)})" for column in columns)
        return Raw(this=f"LATERAL (SELECT {listed})" + (f" AS {text(alias)}" if alias else ""))

    def _parts(self, tree: exp.Expression, scope: Scope, names: tuple[str, ...]) -> None:
        for name in names:
            part = tree.args.get(name)
            if part is not None:
                tree.set(name, self.expression(part, scope))
