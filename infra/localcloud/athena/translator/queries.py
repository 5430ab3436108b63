"""Translates the clauses of Trino's queries."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator import operators
from infra.localcloud.athena.translator.expressions import Expressions, require_only
from infra.localcloud.athena.translator.fragments import Fragment, bracketed, fragment, text
from infra.localcloud.athena.translator.scope import Scope
from infra.localcloud.athena.translator.types import split_top

_SELECT_PARTS = {
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
}


class Queries(Expressions):
    """Translates queries and the expressions in them."""

    def query(self, tree: exp.Expr, scope: Scope) -> exp.Expr:
        """Translates a query in a scope of its own.

        Raises:
            QueryError: Trino fails too.
            UnsupportedError: A part is on no list.
        """
        self._with(tree, scope)
        if isinstance(tree, exp.Subquery):
            tree.set("this", self.query(tree.this, scope.inner()))
            require_only(tree, {"this", "alias", "with_", "order", "limit", "offset"})
            self._parts(tree, scope, ("order", "limit", "offset"))
            return tree
        if isinstance(tree, exp.SetOperation):
            for side in ("this", "expression"):
                tree.set(side, self.query(tree.args[side], scope.inner()))
            require_only(tree, {"this", "expression", "distinct", "with_", "order", "limit", "offset"})
            if tree.args.get("by_name"):
                raise UnsupportedError("UNION BY NAME")
            self._parts(tree, scope, ("limit", "offset"))
            return tree
        if isinstance(tree, exp.Values):
            self._rows(tree, scope)
            return tree
        if isinstance(tree, exp.Table):
            return tree
        if not isinstance(tree, exp.Select):
            raise UnsupportedError(f"{type(tree).__name__}")
        return self._select(tree, scope)

    def _select(self, tree: exp.Select, scope: Scope) -> exp.Select:
        require_only(tree, _SELECT_PARTS)
        if tree.args.get("kind") or tree.args.get("laterals"):
            raise UnsupportedError("SELECT AS STRUCT or LATERAL VIEW")
        source = tree.args.get("from_")
        if source is not None:
            source.set("this", self._source(source.this, scope))
            scope.sources.append(scope.source_text(source.this))
        for join in tree.args.get("joins") or []:
            self._join(join, scope)
        _require_no_lateral_alias(tree, scope)
        self._parts(tree, scope, ("where",))
        if tree.args.get("where"):
            operators.boolean(tree.args["where"].this, scope, "WHERE clause")
        if tree.args.get("windows"):
            raise UnsupportedError("the WINDOW clause", "Write the window after OVER.")
        self._group(tree, scope)
        tree.set("expressions", [self.expression(item, scope) for item in tree.expressions])
        distinct = tree.args.get("distinct")
        if distinct is not None and distinct.args.get("on"):
            raise QueryError("SYNTAX_ERROR: mismatched input 'ON': Trino has no DISTINCT ON")
        self._parts(tree, scope, ("having", "order", "limit", "offset"))
        return tree

    def _group(self, tree: exp.Select, scope: Scope) -> None:
        self._parts(tree, scope, ("group",))
        group = tree.args.get("group")
        # GROUP BY 1 would name another column in the SELECT with which the scope finds types.
        if group and not any(isinstance(item, exp.Literal) for item in group.expressions):
            scope.group = " " + text(group)

    def _with(self, tree: exp.Expr, scope: Scope) -> None:
        with_ = tree.args.get("with_")
        if with_ is None:
            return
        if with_.args.get("recursive"):
            raise UnsupportedError("WITH RECURSIVE")
        for cte in with_.expressions:
            cte.set("this", self.query(cte.this, scope.inner()))
            scope.add_query(text(cte.args["alias"]), cte.this)

    def _join(self, join: exp.Join, scope: Scope) -> None:
        require_only(join, {"this", "kind", "side", "on", "using"})
        if str(join.args.get("kind") or "").upper() in ("SEMI", "ANTI", "STRAIGHT", "ASOF"):
            raise UnsupportedError(f"a {join.args['kind']} join")
        join.set("this", self._source(join.this, scope))
        bare = join.copy()
        bare.set("this", Fragment(this=scope.source_text(join.this)))
        if join.args.get("on") is not None:
            bare.set("on", exp.Boolean(this=True))
        scope.sources.append(text(bare))
        if join.args.get("on") is not None:
            join.set("on", self.expression(join.args["on"], scope))
            operators.boolean(join.args["on"], scope, "JOIN ON clause")

    def _source(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        if isinstance(node, exp.Table):
            require_only(node, {"this", "db", "catalog", "alias"})
            if not isinstance(node.this, exp.Identifier):
                raise UnsupportedError(f"the table function {node.sql(dialect='trino')}")
            node.set("catalog", None)
            return node
        if isinstance(node, exp.Subquery):
            inner = scope.inner()
            require_only(node, {"this", "alias", "with_"})
            node.set("this", self.query(node.this, inner))
            return node
        if isinstance(node, exp.Values):
            self._rows(node, scope)
            return node
        if isinstance(node, exp.Unnest):
            return self._unnest(node, scope)
        raise UnsupportedError(f"{type(node).__name__} in a FROM clause")

    def _rows(self, tree: exp.Values, scope: Scope) -> None:
        require_only(tree, {"expressions", "alias", "order", "limit", "offset"})
        rows = []
        for row in tree.expressions:
            items = row.expressions if isinstance(row, exp.Tuple) else [row]
            rows.append(exp.Tuple(expressions=[self.expression(item, scope) for item in items]))
        tree.set("expressions", rows)

    def _unnest(self, node: exp.Unnest, scope: Scope) -> exp.Expr:
        require_only(node, {"expressions", "alias", "offset"})
        values = [self.expression(item, scope) for item in node.expressions]
        alias = node.args.get("alias")
        if alias is not None and isinstance(node.args.get("offset"), exp.Identifier):
            alias.append("columns", node.args["offset"])
        columns: list[exp.Expr] = []
        for value in values:
            found = scope.type_of(value)
            if found is None or not (found.endswith("[]") or found.startswith("MAP(")):
                raise UnsupportedError("UNNEST of a value whose type is not known")
            if found.startswith("STRUCT(") and not found.endswith("[][]"):
                # Trino makes a column of each field of the rows.
                fields = [part.split(" ", 1)[0] for part in split_top(found[7:-3])]
                columns += [fragment(f"list_transform({{0}}, lambda e: e.{name})", value) for name in fields]
            elif found.startswith("MAP(") and not found.endswith("[]"):
                columns += [fragment("map_keys({0})", value), fragment("map_values({0})", value)]
            else:
                columns.append(value)
        named = f" AS {text(alias)}" if alias else ""
        if len(columns) == 1:
            ordinality = " WITH ORDINALITY" if node.args.get("offset") else ""
            return Fragment(this=f"UNNEST({text(columns[0])}){ordinality}{named}")
        if node.args.get("offset"):
            longest = ", ".join(f"len({bracketed(column)})" for column in columns)
            columns.append(Fragment(this=f"generate_series(1, greatest({longest}))"))
        listed = ", ".join(f"unnest({text(column)})" for column in columns)
        return Fragment(this=f"LATERAL (SELECT {listed}){named}")

    def _parts(self, tree: exp.Expr, scope: Scope, names: tuple[str, ...]) -> None:
        for name in names:
            part = tree.args.get(name)
            if isinstance(part, exp.Fetch):
                part = _limit(part)
            if part is not None:
                tree.set(name, self.expression(part, scope))


def _limit(fetch: exp.Fetch) -> exp.Limit:
    """Writes ``FETCH FIRST n ROWS ONLY``, which DuckDB does not know, as ``LIMIT n``; one row if n is not given."""
    options = fetch.args.get("limit_options")
    if options is not None and (options.args.get("with_ties") or options.args.get("percent")):
        raise UnsupportedError("FETCH FIRST … WITH TIES")
    count = fetch.args.get("count")
    if count is None or count.name.lower() in ("row", "rows"):  # sqlglot 30.15 reads FETCH FIRST ROW as a count
        count = exp.Literal.number(1)
    return exp.Limit(expression=count)


def _require_no_lateral_alias(tree: exp.Select, scope: Scope) -> None:
    """Fails where a column's alias is used in another clause: DuckDB allows that, Trino only in ORDER BY."""
    aliases = {item.alias.lower() for item in tree.expressions if isinstance(item, exp.Alias)}
    parts = [*tree.expressions, *(tree.args[name] for name in ("where", "group", "having") if tree.args.get(name))]
    for column in (column for part in parts for column in part.find_all(exp.Column)):
        if (
            not column.table
            and column.name.lower() in aliases
            and column.parent_select is tree
            and scope.type_of(column) is None
        ):
            raise QueryError(f"COLUMN_NOT_FOUND: Column '{column.name}' cannot be resolved: an alias is not known here")
