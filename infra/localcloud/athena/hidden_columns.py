"""Trino's hidden columns of Hive tables: ``"$path"``, ``"$file_size"``, ``"$file_modified_time"``, ``"$partition"``.

``SELECT *`` does not show them. DuckDB has no hidden columns, so the stars of a query that names one are written out.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from infra.localcloud.athena.errors import UnsupportedError
from infra.localcloud.athena.sources import HIDDEN


def used(tree: exp.Expr) -> bool:
    """Whether a query names a hidden column.

    Raises:
        UnsupportedError: It names one that is not known here.
    """
    names = {column.name.lower() for column in tree.find_all(exp.Column) if column.name.startswith("$")}
    if "$bucket" in names:
        raise UnsupportedError('the hidden column "$bucket"')
    return bool(names & set(HIDDEN))


def expand_stars(tree: exp.Expr, columns: Mapping[tuple[str, str], list[str]]) -> None:
    """Replaces each star over tables by their columns.

    Args:
        tree: The query; it is changed.
        columns: The visible columns of each table by (database, name).

    Raises:
        UnsupportedError: A star also covers something that is no table.
    """
    for select in tree.find_all(exp.Select):
        if any(_is_star(item) for item in select.expressions):
            select.set("expressions", _expanded(select, columns))


def _is_star(item: exp.Expr) -> bool:
    return isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star))


def _expanded(select: exp.Select, columns: Mapping[tuple[str, str], list[str]]) -> list[exp.Expr]:
    source = select.args.get("from_")
    joins = select.args.get("joins") or []
    sources = [source.this, *(join.this for join in joins)] if source is not None else []
    known = {
        one.alias_or_name.lower(): columns.get((one.db.lower(), one.name.lower())) for one in sources if _is_table(one)
    }
    if not any(known.values()):
        return list(select.expressions)
    if len(known) < len(sources) or None in known.values() or any(join.args.get("using") for join in joins):
        raise UnsupportedError(
            "SELECT * beside a hidden column over a join with USING or a subquery", "Name the columns."
        )
    written: list[exp.Expr] = []
    for item in select.expressions:
        if not _is_star(item):
            written.append(item)
            continue
        wanted = [item.table.lower()] if isinstance(item, exp.Column) else list(known)
        written += [exp.column(name, table=alias, quoted=True) for alias in wanted for name in known.get(alias) or []]
    return written


def _is_table(node: exp.Expr) -> bool:
    return isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier)
