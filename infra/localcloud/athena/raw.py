"""DuckDB text inside a sqlglot tree, and the generator that writes such a tree."""

from __future__ import annotations

from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB


class Raw(exp.Expression, exp.Condition):
    """A translated expression, as DuckDB text that needs no brackets around it."""

    arg_types: ClassVar[dict] = {"this": True}


class DuckDBText(DuckDB):
    """DuckDB as sqlglot writes it, plus :class:`Raw`."""

    class Generator(DuckDB.Generator):
        TRANSFORMS: ClassVar[dict] = {**DuckDB.Generator.TRANSFORMS, Raw: lambda self, node: node.args["this"]}


def text(node: exp.Expression) -> str:
    """The DuckDB text of a translated tree."""
    return node.sql(dialect=DuckDBText)


def raw(template: str, *nodes: exp.Expression | str) -> Raw:
    """``template`` with ``{0}``, ``{1}`` … filled by the (bracketed) texts of translated nodes."""
    return Raw(this=template.format(*(node if isinstance(node, str) else bracketed(node) for node in nodes)))


def bracketed(node: exp.Expression) -> str:
    """The node's text, in brackets unless it is a name, a literal or a piece of ours."""
    written = text(node)
    return (
        written
        if isinstance(node, (Raw, exp.Literal, exp.Column, exp.Null, exp.Paren, exp.Boolean))
        else f"({written})"
    )
