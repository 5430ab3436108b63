"""DuckDB text inside a sqlglot tree, and the generator that writes such a tree."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.generators.duckdb import DuckDBGenerator


class Fragment(exp.Expression, exp.Condition):
    """A translated expression: DuckDB text that needs no brackets around it."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class _Generator(DuckDBGenerator):
    TRANSFORMS: ClassVar[dict[type[exp.Expr], Any]] = {
        **DuckDBGenerator.TRANSFORMS,
        Fragment: lambda self, node: node.args["this"],
    }


class DuckDBText(DuckDB):
    """DuckDB's SQL as sqlglot writes it, with :class:`Fragment`."""

    Generator = _Generator


def text(node: exp.Expr) -> str:
    """Writes a translated tree as DuckDB text."""
    return node.sql(dialect=DuckDBText)


def fragment(template: str, *nodes: exp.Expr | str) -> Fragment:
    """Fills ``{0}``, ``{1}`` … of a template with the bracketed texts of translated nodes."""
    return Fragment(this=template.format(*(node if isinstance(node, str) else bracketed(node) for node in nodes)))


def bracketed(node: exp.Expr) -> str:
    """Writes a node as text, in brackets unless it is a name, a literal or a fragment."""
    written = text(node)
    plain = isinstance(node, (Fragment, exp.Literal, exp.Column, exp.Null, exp.Paren, exp.Boolean))
    return written if plain else f"({written})"
