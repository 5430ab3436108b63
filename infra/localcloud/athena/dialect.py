"""Trino's queries in DuckDB: parsed as Athena reads them, every node and every function checked against a list.

A node or function that is not on a list is refused by name: a query either answers as Athena does or fails.
"""

from __future__ import annotations

import duckdb
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType

from . import casts, functions, functions_time, operators
from .call import Call
from .errors import QueryFailed, Refused
from .functions_aggregate import AGGREGATES, WINDOWS, narrowing
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
        FUNCTIONS: dict = {}
        TYPE_LITERAL_PARSERS = {
            **Trino.Parser.TYPE_LITERAL_PARSERS,
            exp.DataType.Type.TIMESTAMP: _literal(exp.DataType.Type.TIMESTAMP),
        }


SCALARS = {**functions.TABLE, **functions_time.TABLE}
# Nodes that mean the same in both once their parts are translated.
_PLAIN = (exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Star, exp.Paren, exp.Alias, exp.TableAlias, exp.Ordered, exp.Order,
          exp.Where, exp.Having, exp.Group, exp.GroupingSets, exp.Cube, exp.Rollup, exp.Limit, exp.Offset, exp.Fetch, exp.Distinct, exp.Tuple, exp.Neg,
          exp.And, exp.Or, exp.Not, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ, exp.In, exp.Like, exp.Escape, exp.Exists, exp.If, exp.Case,
          exp.WindowSpec, exp.Var, exp.Lambda, exp.Dot, exp.Any, exp.All)  # fmt: skip


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
    if not isinstance(trees[0], exp.Query):
        raise Refused(f"the statement {type(trees[0]).__name__.upper()}")
    return trees[0]


def translate(tree: exp.Expression, connection: duckdb.DuckDBPyConnection) -> str:
    """DuckDB's text of a parsed query. ``connection`` holds the macros and every table of the query, as ``schema.table``."""
    tree = tree.copy()
    name_columns(tree)
    return text(_Translator().query(tree, Scope(connection)))


def condition(tree: exp.Expression, scope: Scope) -> exp.Expression:
    """A translated condition, as it stands in a WHERE clause of a query with this scope."""
    return _Translator().expression(tree, scope)


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


class _Translator:
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
        self._only(tree, {"with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "windows", "order", "limit", "offset",
                          "laterals", "kind", "hint", "operation_modifiers"})  # fmt: skip
        if tree.args.get("kind") or tree.args.get("laterals"):
            raise Refused("SELECT AS STRUCT or LATERAL VIEW")
        source = tree.args.get("from_")
        if source is not None:
            source.set("this", self._source(source.this, scope))
            scope.sources.append(text(source.this))
        for join in tree.args.get("joins") or []:
            self._join(join, scope)
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
        if any(found is None or found.startswith("STRUCT") or (found.startswith("STRUCT(") and found.endswith("[]")) for found in kinds):
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

    @staticmethod
    def _only(tree: exp.Expression, allowed: set[str]) -> None:
        extra = [name for name, value in tree.args.items() if value and name not in allowed]
        if extra:
            raise Refused(f"{', '.join(extra).rstrip('_')} in {type(tree).__name__.upper()}")

    # --- expressions -------------------------------------------------------------------------------------------

    def expression(self, node: exp.Expression, scope: Scope) -> exp.Expression:
        """A translated expression. Parts come first, so that types can be asked of DuckDB."""
        if isinstance(node, (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)):
            return self.query(node, scope.inner())
        special = {exp.Window: self._window, exp.Filter: self._aggregate, exp.IgnoreNulls: self._aggregate, exp.Cast: self._cast,
                   exp.TryCast: self._cast, exp.Anonymous: self._call, exp.Interval: lambda n, s: operators.interval(n),
                   exp.Lambda: self._lambda}  # fmt: skip
        if type(node) in special:
            return special[type(node)](node, scope)
        self._children(node, scope)
        return self._combined(node, scope)

    def _children(self, node: exp.Expression, scope: Scope) -> None:
        for name, value in list(node.args.items()):
            if isinstance(value, exp.Expression):
                node.set(name, self.expression(value, scope))
            elif isinstance(value, list):
                node.set(name, [self.expression(item, scope) if isinstance(item, exp.Expression) else item for item in value])

    def _combined(self, node: exp.Expression, scope: Scope) -> exp.Expression:
        kind = type(node)
        if kind in operators.COMPARISONS:
            return operators.compare(node, scope)
        if kind in operators.ARITHMETIC:
            return operators.arithmetic(node, scope)
        if kind is exp.Between:
            return operators.between(node, scope)
        if kind is exp.DPipe:
            return operators.joined(node, scope)
        if kind is exp.Bracket:
            return operators.subscript(node, scope)
        if kind is exp.Array:
            operators.branches(node.expressions, scope, "ARRAY")
            return Raw(this="[" + ", ".join(text(item) for item in node.expressions) + "]")
        if kind is exp.HexString:
            return Raw(this=f"unhex('{node.this}')")
        if kind is exp.CurrentDate:
            return Raw(this="current_date")
        if kind is exp.CurrentTimestamp and not node.this:
            return Raw(this=functions_time.NOW)
        if kind is exp.Extract:
            return functions_time.field_of(node.this.name, node.expression, Call("extract", [node.expression], scope))
        if kind is exp.AtTimeZone:
            return SCALARS["at_timezone"].handler(Call("AT TIME ZONE", [node.this, node.args["zone"]], scope))
        if kind is exp.Substring:
            arguments = [node.args[name] for name in ("this", "start", "length") if node.args.get(name) is not None]
            return SCALARS["substr"].handler(Call("substring", arguments, scope))
        if kind is exp.StrPosition and set(name for name, value in node.args.items() if value) == {"this", "substr"}:
            return raw("strpos({0}, {1})", node.this, node.args["substr"])
        if kind is exp.Trim:
            return self._trim(node)
        if kind not in _PLAIN:
            raise Refused(f"{kind.__name__.upper()}: {node.sql(dialect='trino')[:80]}")
        self._check(node, scope)
        return node

    def _check(self, node: exp.Expression, scope: Scope) -> None:
        """Type rules of nodes that stay as they are."""
        if isinstance(node, (exp.And, exp.Or)):
            operators.boolean(node.this, scope, f"operand of {type(node).__name__.upper()}")
            operators.boolean(node.expression, scope, f"operand of {type(node).__name__.upper()}")
        elif isinstance(node, exp.Not):
            operators.boolean(node.this, scope, "operand of NOT")
        elif isinstance(node, exp.If):
            self._branch(node, scope)
        elif isinstance(node, exp.Case):
            results = [branch.args["true"] for branch in node.args["ifs"]] + ([node.args["default"]] if node.args.get("default") else [])
            operators.branches(results, scope, "CASE")
        elif isinstance(node, exp.In) and not node.args.get("query"):
            for item in node.expressions:
                operators.comparable(scope.type_of(node.this), scope.type_of(item), "IN")
        elif isinstance(node, (exp.Like, exp.NullSafeEQ, exp.NullSafeNEQ)):
            operators.comparable(scope.type_of(node.this), scope.type_of(node.expression), type(node).__name__.upper())
        elif isinstance(node, exp.Is) and not isinstance(node.expression, exp.Null):
            raise QueryFailed("SYNTAX_ERROR: mismatched input: Trino knows IS [NOT] NULL and IS [NOT] DISTINCT FROM only")
        elif isinstance(node, exp.Star) and any(node.args.values()):
            raise Refused("SELECT * EXCEPT or REPLACE")

    @staticmethod
    def _branch(node: exp.If, scope: Scope) -> None:
        case = node.parent
        if not (isinstance(case, exp.Case) and case.this is not None):
            operators.boolean(node.this, scope, "CASE WHEN clause")
        if not isinstance(case, exp.Case) and node.args.get("false") is not None:
            operators.branches([node.args["true"], node.args["false"]], scope, "IF")

    @staticmethod
    def _trim(node: exp.Trim) -> Raw:
        name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
        characters = f", {bracketed(node.expression)}" if node.args.get("expression") else ""
        return Raw(this=f"{name}({bracketed(node.this)}{characters})")

    def _lambda(self, node: exp.Lambda, scope: Scope) -> Raw:
        names = frozenset(str(name.this).lower() for name in node.expressions)
        inner = Scope(scope.connection, outer=scope.outer, ctes=scope.ctes, recursive=scope.recursive, sources=scope.sources,
                      lambda_names=scope.lambda_names | names)  # fmt: skip
        body = self.expression(node.this, inner)
        return Raw(this=f"lambda {', '.join(text(name) for name in node.expressions)}: {text(body)}")

    def _cast(self, node: exp.Cast, scope: Scope) -> exp.Expression:
        inner, wanted = node.this, node.args["to"]
        safe = isinstance(node, exp.TryCast)
        if node.meta.get("literal"):
            return casts.timestamp_literal(inner.this)
        if inner.meta.get("literal") and casts.target(wanted) == ("VARCHAR", None):
            return casts.literal_varchar(inner.this.this)
        value = self.expression(inner, scope)
        return casts.cast(value, scope.type_of(value), wanted, safe=safe)

    # --- functions ---------------------------------------------------------------------------------------------

    def _arguments(self, node: exp.Anonymous, scope: Scope) -> Call:
        name = str(node.this).lower()
        arguments = list(node.expressions)
        distinct, order = False, ""
        if arguments and isinstance(arguments[0], exp.Order):
            ordering, arguments[0] = arguments[0], arguments[0].this
            ordering.set("this", None)
            order = " " + text(self.expression(ordering, scope)).strip()
        if arguments and isinstance(arguments[0], exp.Distinct):
            distinct = True
            arguments[:1] = arguments[0].expressions
            if len(arguments) > 1 and name == "count":
                raise QueryFailed("FUNCTION_NOT_FOUND: count(DISTINCT …) takes one argument")
        return Call(name, [self.expression(argument, scope) for argument in arguments], scope, distinct, order)

    def _call(self, node: exp.Anonymous, scope: Scope) -> exp.Expression:
        name = str(node.this).lower()
        if name in AGGREGATES:
            return self._aggregate(node, scope)
        if name in WINDOWS:
            raise QueryFailed(f"SYNTAX_ERROR: Window function {name} requires an OVER clause")
        if name == "mod" and len(node.expressions) == 2:
            return self.expression(exp.Mod(this=exp.Paren(this=node.expressions[0]), expression=exp.Paren(this=node.expressions[1])), scope)
        if name not in SCALARS:
            raise Refused(f"the function {name}", "It is not among those whose results were compared with Trino's.")
        call = self._arguments(node, scope)
        entry = SCALARS[name]
        if call.distinct or call.order or not entry.least <= len(call.args) <= entry.most:
            raise QueryFailed(f"FUNCTION_NOT_FOUND: Unexpected parameters for function {name}: {len(call.args)} given")
        return entry.handler(call)

    def _aggregate(self, node: exp.Expression, scope: Scope, over: str = "") -> exp.Expression:
        """An aggregate with its FILTER, IGNORE NULLS and OVER; what Trino's type is narrower in is cast around all of it."""
        suffix, ignore, inner = "", "", node
        if isinstance(inner, exp.Filter):
            condition = self.expression(inner.expression.this, scope)
            operators.boolean(condition, scope, "FILTER clause")
            suffix, inner = f" FILTER (WHERE {text(condition)})", inner.this
        if isinstance(inner, exp.IgnoreNulls):
            ignore, inner = " IGNORE NULLS", inner.this
        if not isinstance(inner, exp.Anonymous):
            raise Refused(f"{type(inner).__name__} as an aggregate or window function")
        name = str(inner.this).lower()
        entry = (WINDOWS if over else {}).get(name) or AGGREGATES.get(name)
        if entry is None:
            raise Refused(f"the aggregate or window function {name}", "It is not among those whose results were compared with Trino's.")
        call = self._arguments(inner, scope)
        if not entry.least <= len(call.args) <= entry.most:
            raise QueryFailed(f"FUNCTION_NOT_FOUND: Unexpected parameters for function {name}: {len(call.args)} given")
        if ignore and name not in WINDOWS:
            raise Refused(f"IGNORE NULLS of {name}")
        if name == "map_agg" and (suffix or over):
            raise Refused("map_agg with FILTER or OVER")
        if ignore and name in ("row_number", "rank", "dense_rank", "ntile", "percent_rank", "cume_dist"):
            raise QueryFailed(f"SYNTAX_ERROR: Cannot specify a null treatment clause for {name}")
        written = text(entry.handler(call))
        if ignore:
            written = written[:-1] + ignore + ")"
        narrow = narrowing(name, call.known_type(0)) if name in ("sum", "avg", "count_if") else None
        whole = written + suffix + over
        return Raw(this=f"CAST({whole} AS {narrow})" if narrow else whole)

    def _window(self, node: exp.Window, scope: Scope) -> exp.Expression:
        self._only(node, {"this", "partition_by", "order", "spec", "over"})
        parts = []
        if node.args.get("partition_by"):
            parts.append("PARTITION BY " + ", ".join(text(self.expression(item, scope)) for item in node.args["partition_by"]))
        if node.args.get("order"):
            parts.append(text(self.expression(node.args["order"], scope)).strip())
        if node.args.get("spec"):
            parts.append(text(self.expression(node.args["spec"], scope)))
        return self._aggregate(node.this, scope, f" OVER ({' '.join(parts)})")
