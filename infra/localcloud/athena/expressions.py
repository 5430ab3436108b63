"""Trino's expressions in DuckDB: every node and every function checked against a list."""

from __future__ import annotations

from sqlglot import exp

from . import casts, functions, functions_time, operators
from .call import Call
from .errors import QueryFailed, Refused
from .functions_aggregate import AGGREGATES, WINDOWS, narrowing
from .raw import Raw, bracketed, raw, text
from .scope import Scope

SCALARS = {**functions.TABLE, **functions_time.TABLE}
# Nodes that mean the same in both once their parts are translated.
_PLAIN = (
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Null,
    exp.Boolean,
    exp.Star,
    exp.Paren,
    exp.Alias,
    exp.TableAlias,
    exp.Ordered,
    exp.Order,
    exp.Where,
    exp.Having,
    exp.Group,
    exp.GroupingSets,
    exp.Cube,
    exp.Rollup,
    exp.Limit,
    exp.Offset,
    exp.Fetch,
    exp.Distinct,
    exp.Tuple,
    exp.Neg,
    exp.And,
    exp.Or,
    exp.Not,
    exp.Is,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.In,
    exp.Like,
    exp.Escape,
    exp.Exists,
    exp.If,
    exp.Case,
    exp.WindowSpec,
    exp.Var,
    exp.Lambda,
    exp.Dot,
    exp.Any,
    exp.All,
)


class Expressions:
    """Translates expressions; :mod:`.dialect` adds the queries inside them."""

    def query(self, tree: exp.Expression, scope: Scope) -> exp.Expression:
        """A query inside an expression, in the scope given."""
        raise NotImplementedError

    @staticmethod
    def _only(tree: exp.Expression, allowed: set[str]) -> None:
        extra = [name for name, value in tree.args.items() if value and name not in allowed]
        if extra:
            raise Refused(f"{', '.join(extra).rstrip('_')} in {type(tree).__name__.upper()}")

    def expression(self, node: exp.Expression, scope: Scope) -> exp.Expression:
        """A translated expression. Parts come first, so that types can be asked of DuckDB."""
        if isinstance(node, (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)):
            return self.query(node, scope.inner())
        special = {
            exp.Window: self._window,
            exp.Filter: self._aggregate,
            exp.IgnoreNulls: self._aggregate,
            exp.Cast: self._cast,
            exp.TryCast: self._cast,
            exp.Anonymous: self._call,
            exp.Interval: lambda n, s: operators.interval(n),
            exp.Lambda: self._lambda,
        }
        if type(node) in special:
            return special[type(node)](node, scope)
        self._children(node, scope)
        return self._combined(node, scope)

    def _children(self, node: exp.Expression, scope: Scope) -> None:
        for name, value in list(node.args.items()):
            if isinstance(value, exp.Expression):
                node.set(name, self.expression(value, scope))
            elif isinstance(value, list):
                node.set(
                    name, [self.expression(item, scope) if isinstance(item, exp.Expression) else item for item in value]
                )

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
            results = [branch.args["true"] for branch in node.args["ifs"]] + (
                [node.args["default"]] if node.args.get("default") else []
            )
            operators.branches(results, scope, "CASE")
        elif isinstance(node, exp.In) and node.args.get("query"):
            if not isinstance(node.this, exp.Tuple):
                inner = node.args["query"]
                chosen = scope.type_of(inner if isinstance(inner, exp.Subquery) else raw("{0}", inner))
                operators.comparable(scope.type_of(node.this), chosen, "IN")
        elif isinstance(node, exp.In):
            for item in node.expressions:
                operators.comparable(scope.type_of(node.this), scope.type_of(item), "IN")
        elif isinstance(node, (exp.Like, exp.NullSafeEQ, exp.NullSafeNEQ)):
            operators.comparable(scope.type_of(node.this), scope.type_of(node.expression), type(node).__name__.upper())
        elif isinstance(node, exp.Is) and not isinstance(node.expression, exp.Null):
            raise QueryFailed(
                "SYNTAX_ERROR: mismatched input: Trino knows IS [NOT] NULL and IS [NOT] DISTINCT FROM only"
            )
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
        inner = Scope(
            scope.connection,
            outer=scope.outer,
            ctes=scope.ctes,
            recursive=scope.recursive,
            sources=scope.sources,
            lambda_names=scope.lambda_names | names,
        )
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
            return self.expression(
                exp.Mod(this=exp.Paren(this=node.expressions[0]), expression=exp.Paren(this=node.expressions[1])), scope
            )
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
            raise Refused(
                f"the aggregate or window function {name}",
                "It is not among those whose results were compared with Trino's.",
            )
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
            parts.append(
                "PARTITION BY " + ", ".join(text(self.expression(item, scope)) for item in node.args["partition_by"])
            )
        if node.args.get("order"):
            parts.append(text(self.expression(node.args["order"], scope)).strip())
        if node.args.get("spec"):
            parts.append(text(self.expression(node.args["spec"], scope)))
        return self._aggregate(node.this, scope, f" OVER ({' '.join(parts)})")
