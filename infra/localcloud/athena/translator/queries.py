"""Translates the clauses of Trino's queries."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator import limits, operators, set_operations
from infra.localcloud.athena.translator.expressions import Expressions, require_only
from infra.localcloud.athena.translator.fragments import Fragment, bracketed, fragment, text
from infra.localcloud.athena.translator.scope import Scope
from infra.localcloud.athena.types import kind, quoted_name, struct_fields, trino_type

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
    "qualify",
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
            set_operations.unify(tree, scope)
            require_only(tree, {"this", "expression", "distinct", "with_", "order", "limit", "offset"})
            if tree.args.get("by_name"):
                raise UnsupportedError("UNION BY NAME")
            limits.translate(tree)
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
        limits.translate(tree)
        limits.inline_windows(tree)
        _require_no_lateral_alias(tree, scope)
        self._parts(tree, scope, ("where",))
        if tree.args.get("where"):
            operators.boolean(tree.args["where"].this, scope, "WHERE clause")
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
            rows.append([self.expression(item, scope) for item in items])
        if len({len(row) for row in rows}) > 1:
            raise QueryError("TYPE_MISMATCH: Values rows have mismatched types: their numbers of columns differ")
        columns = [operators.branches(list(column), scope, "VALUES") for column in zip(*rows, strict=True)]
        tree.set("expressions", [exp.Tuple(expressions=list(row)) for row in zip(*columns, strict=True)])

    def _unnest(self, node: exp.Unnest, scope: Scope) -> exp.Expr:
        require_only(node, {"expressions", "alias", "offset"})
        values = [self.expression(item, scope) for item in node.expressions]
        alias = node.args.get("alias")
        if alias is not None and isinstance(node.args.get("offset"), exp.Identifier):
            alias.append("columns", node.args["offset"])
        columns = [column for value in values for column in unnested(value, scope)]
        named = f" AS {text(alias)}" if alias else ""
        if len(columns) == 1 and not _named(columns[0]):
            ordinality = " WITH ORDINALITY" if node.args.get("offset") else ""
            return Fragment(this=f"UNNEST({text(columns[0])}){ordinality}{named}")
        if node.args.get("offset"):
            longest = ", ".join(f"len({bracketed(column)})" for column in columns)
            columns.append(Fragment(this=f"generate_series(1, greatest({longest}))"))
        listed = ", ".join(f"unnest({text(column)}){_named(column)}" for column in columns)
        return Fragment(this=f"LATERAL (SELECT {listed}){named}")

    def _parts(self, tree: exp.Expr, scope: Scope, names: tuple[str, ...]) -> None:
        for name in names:
            part = tree.args.get(name)
            if part is not None:
                tree.set(name, self.expression(part, scope))


def _named(column: exp.Expr) -> str:
    return f" AS {quoted_name(column.meta['name'])}" if column.meta.get("name") else ""


def unnested(value: exp.Expr, scope: Scope) -> list[exp.Expr]:
    """Returns the arrays into which UNNEST expands a value: keys and values of a map, each field of rows.

    Raises:
        QueryError: The value is no array and no map.
        UnsupportedError: Its type is not known.
    """
    found = scope.type_of(value)
    if found is None:
        raise UnsupportedError("UNNEST of a value whose type is not known")
    if found.startswith("MAP("):
        return [fragment("map_keys({0})", value), fragment("map_values({0})", value)]
    if not found.endswith("[]") and found != '"NULL"':
        raise QueryError(f"TYPE_MISMATCH: Cannot unnest type: {trino_type(found)}")
    if kind(found[:-2]) != "row":
        return [value]
    fields: list[exp.Expr] = []
    for index, (name, _) in enumerate(struct_fields(found[:-2]), start=1):
        field = fragment(f"list_transform({{0}}, lambda nj_u: struct_extract_at(nj_u, {index}))", value)
        field.meta["name"] = name
        fields.append(field)
    return fields


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
