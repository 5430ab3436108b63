"""Parses Trino's queries as Athena reads them, and writes them in DuckDB's dialect."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar

import duckdb
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokens import Token, TokenType

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator.coercion import coerce, with_milliseconds
from infra.localcloud.athena.translator.fragments import text
from infra.localcloud.athena.translator.queries import Queries
from infra.localcloud.athena.translator.scope import Scope
from infra.localcloud.athena.types import quoted_name

# Functions with a syntax of their own, which sqlglot 30.15.0 does not parse.
_UNPARSED = re.compile(r"\b(json_(?:exists|value|query|object|array|table)|overlay)\s*\(", re.IGNORECASE)


def _literal(kind: exp.DType) -> Callable[[object, exp.Expr, object], exp.Expr]:
    """Parses ``timestamp '…'`` and the like to a cast that remembers that it was a literal."""

    def parse(parser: object, this: exp.Expr, _: object) -> exp.Expr:
        written = exp.Cast(this=this, to=exp.DataType(this=kind))
        written.meta["literal"] = True
        return written

    return parse


class _Parser(TrinoParser):
    """Keeps every function under its own name: sqlglot would translate some of them wrongly."""

    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
        name: parser
        for name, parser in TrinoParser.FUNCTION_PARSERS.items()
        if name in ("CAST", "TRY_CAST", "EXTRACT", "POSITION", "SUBSTRING", "TRIM")
    }
    TYPE_LITERAL_PARSERS: ClassVar[dict[exp.DType, Callable[..., Any]]] = {
        **TrinoParser.TYPE_LITERAL_PARSERS,
        # sqlglot 30.15 reads DECIMAL '1.5' as a cast to DECIMAL(38,0).
        **{kind: _literal(kind) for kind in (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ, exp.DType.DECIMAL)},
    }

    # sqlglot 30.15 reads the word ROW as a type in Trino's dialect, so OFFSET 1 ROW and FETCH FIRST 1 ROW ONLY fail.

    def _parse_offset(self, this: exp.Expr | None = None) -> exp.Expr | None:
        found = super()._parse_offset(this)
        if isinstance(found, exp.Offset):
            self._match_text_seq("ROW")
        return found

    def _parse_limit_options(self) -> exp.LimitOptions | None:
        self._match_text_seq("ROW")
        return super()._parse_limit_options()


class AthenaQueries(Trino):
    """Trino's syntax with untranslated functions."""

    INDEX_OFFSET = 0
    Parser = _Parser


def parse(sql: str) -> exp.Expr:
    """Parses one Trino query.

    Raises:
        QueryError: A syntax error, or more than one statement.
        UnsupportedError: The statement is no query.
    """
    if matched := re.fullmatch(r"\s*TABLE\s+([^\s()]+)\s*", sql, re.IGNORECASE):
        sql = f"SELECT * FROM {matched[1]}"
    try:
        tokens = AthenaQueries().tokenize(sql)
        if any(token.token_type == TokenType.DCOLON for token in tokens):
            raise QueryError("SYNTAX_ERROR: mismatched input '::'. Trino writes CAST(value AS type)")
        sql = _parsable(sql, tokens)
        trees = [tree for tree in AthenaQueries().parse(sql) if tree is not None]
    except SqlglotError as error:
        if found := _UNPARSED.search(sql):
            raise UnsupportedError(f"the function {found[1].lower()}") from None
        raise QueryError(f"SYNTAX_ERROR: {str(error).splitlines()[0]}") from None
    if len(trees) != 1:
        raise QueryError(f"SYNTAX_ERROR: Only one sql statement is allowed. Got: {len(trees)}")
    tree = trees[0]
    if isinstance(tree, exp.Values):
        first = tree.expressions[0]
        names = ", ".join(
            f"_col{index}" for index in range(len(first.expressions) if isinstance(first, exp.Tuple) else 1)
        )
        return parse(f"SELECT * FROM ({sql}) AS rows({names})")
    if not isinstance(tree, exp.Query):
        raise UnsupportedError(f"the statement {type(tree).__name__.upper()}")
    return tree


def _parsable(sql: str, tokens: list[Token]) -> str:
    """Writes LIMIT ALL and FETCH FIRST 1 ROW, which sqlglot 30.15 does not parse, in a form that it does."""
    edits: list[tuple[int, int, str]] = []
    for token, following in pairwise(tokens):
        if token.token_type == TokenType.LIMIT and following.token_type == TokenType.ALL:
            edits.append((token.start, following.end + 1, ""))
        elif token.token_type == TokenType.NUMBER and following.text.upper() == "ROW":
            edits.append((following.start, following.end + 1, "ROWS"))
    for start, end, written in reversed(edits):
        sql = sql[:start] + written + sql[end:]
    return sql


def translate(tree: exp.Expr, connection: duckdb.DuckDBPyConnection) -> str:
    """Translates a parsed query.

    Args:
        tree: The query; it is not changed.
        connection: A connection with the macros and every table of the query, as ``schema.table``.

    Returns:
        The DuckDB text.

    Raises:
        QueryError: Trino fails too.
        UnsupportedError: The result could differ from Trino's.
    """
    tree = tree.copy()
    name_columns(tree)
    scope = Scope(connection)
    return _with_reported_times(text(Queries().query(tree, scope)), scope)


def _with_reported_times(written: str, scope: Scope) -> str:
    """Rounds the query's timestamps of other precisions to milliseconds, which Athena reports and stores."""
    if "timestamp(" not in written:
        return written
    columns = Scope(scope.connection).columns_of(written) or []
    stored = [with_milliseconds(found) for _, found in columns]
    if stored == [found for _, found in columns]:
        return written
    values = ", ".join(
        f"{coerce(f'c{index}', found, wanted)} AS {quoted_name(name)}"
        for index, ((name, found), wanted) in enumerate(zip(columns, stored, strict=True))
    )
    return f"SELECT {values} FROM ({written}) AS planned({', '.join(f'c{index}' for index in range(len(columns)))})"


def condition(tree: exp.Expr, scope: Scope) -> exp.Expr:
    """Translates a condition of a WHERE clause; it changes the tree."""
    return Queries().expression(tree, scope)


def name_columns(tree: exp.Expr) -> None:
    """Names the outermost columns that have no name as Trino does: ``_col0``, ``_col1`` and so on."""
    while isinstance(tree, (exp.SetOperation, exp.Subquery)):
        tree = tree.this
    if isinstance(tree, exp.Select):
        named: list[exp.Expr] = []
        for index, column in enumerate(tree.expressions):
            has_name = isinstance(column, (exp.Column, exp.Alias, exp.Star, exp.Dot))
            named.append(column if has_name else exp.alias_(column, f"_col{index}", quoted=True))
        tree.set("expressions", named)
