"""FETCH FIRST and the WINDOW clause, written as clauses that DuckDB has."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError


def translate(tree: exp.Expr) -> None:
    """Writes FETCH FIRST as LIMIT, one row if no number is given, and WITH TIES as a condition on the rank."""
    fetch = tree.args.get("limit")
    if not isinstance(fetch, exp.Fetch):
        return
    count = fetch.args.get("count")
    if count is None or count.name.lower() in ("row", "rows"):  # sqlglot 30.15 reads FETCH FIRST ROW as a count
        count = exp.Literal.number(1)
    options = fetch.args.get("limit_options")
    if options is not None and options.args.get("percent"):
        raise UnsupportedError("FETCH FIRST … PERCENT")
    if options is None or not options.args.get("with_ties"):
        tree.set("limit", exp.Limit(expression=count))
        return
    order = tree.args.get("order")
    if order is None:
        raise QueryError("MISSING_ORDER_BY: FETCH FIRST WITH TIES requires ORDER BY clause")
    if (
        not isinstance(tree, exp.Select)
        or any(tree.args.get(name) for name in ("offset", "distinct", "group", "having", "qualify"))
        or any(isinstance(item.this, exp.Literal) for item in order.expressions)
    ):
        raise UnsupportedError("FETCH FIRST WITH TIES in such a query", "Write a condition on rank() OVER (…).")
    aliases = {item.alias.lower(): item.this for item in tree.expressions if isinstance(item, exp.Alias)}
    ordering = order.copy()
    for column in list(ordering.find_all(exp.Column)):
        if not column.table and column.name.lower() in aliases:
            column.replace(aliases[column.name.lower()].copy())
    rank = exp.Window(this=exp.Anonymous(this="rank"), order=ordering, over="OVER")
    tree.set("limit", None)
    tree.set("qualify", exp.Qualify(this=exp.LTE(this=rank, expression=count)))


def inline_windows(tree: exp.Select) -> None:
    """Writes each named window after OVER.

    Raises:
        QueryError: There is no window of a name.
    """
    named = {str(window.this.name).lower(): window for window in tree.args.get("windows") or []}
    for window in list(tree.find_all(exp.Window)):
        alias = window.args.get("alias")
        if alias is None or window.arg_key == "windows" or window.find_ancestor(exp.Select) is not tree:
            continue
        definition = named.get(str(alias.name).lower())
        if definition is None:
            raise QueryError(f"INVALID_WINDOW_REFERENCE: Cannot resolve WINDOW name {alias.name}")
        window.set("alias", None)
        for part in ("partition_by", "order", "spec"):
            value = definition.args.get(part)
            if value is not None and not window.args.get(part):
                copied = [item.copy() for item in value] if isinstance(value, list) else value.copy()
                window.set(part, copied)
    tree.set("windows", None)
