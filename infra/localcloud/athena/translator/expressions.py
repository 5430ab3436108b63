"""Translates Trino's expressions: casts, lambdas, function calls, aggregates and windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator import (
    casts,
    functions_json,
    functions_row,
    intervals,
    lambdas,
    nodes,
    operators,
)
from infra.localcloud.athena.translator.calls import FunctionCall, Translation, suffixed
from infra.localcloud.athena.translator.coercion import coerce
from infra.localcloud.athena.translator.fragments import Fragment, bracketed, text
from infra.localcloud.athena.translator.functions import SCALARS
from infra.localcloud.athena.translator.functions_aggregate import AGGREGATES, WINDOWS, narrowing
from infra.localcloud.athena.translator.scope import Scope

_NOT_COMPARED = "Its results were not compared with Trino's."
_QUANTIFIERS = {"all": exp.All, "any": exp.Any, "some": exp.Any}
_RANKINGS = ("row_number", "rank", "dense_rank", "ntile", "percent_rank", "cume_dist")


def require_only(tree: exp.Expr, allowed: set[str]) -> None:
    """Checks that a node has no other parts than these.

    Raises:
        UnsupportedError: It has.
    """
    extra = [name for name, value in tree.args.items() if value and name not in allowed]
    if extra:
        raise UnsupportedError(f"{', '.join(extra).rstrip('_')} in {type(tree).__name__.upper()}")


class Expressions:
    """Translates expressions; :class:`.queries.Queries` adds the queries inside them."""

    def __init__(self) -> None:
        # Nodes whose parts are translated in a special order.
        self._special: dict[type[exp.Expr], Callable[[Any, Scope], exp.Expr]] = {
            exp.Window: self._window,
            exp.Filter: self._aggregate,
            exp.IgnoreNulls: self._aggregate,
            exp.Cast: self._cast,
            exp.TryCast: self._cast,
            exp.Anonymous: self._call,
            exp.Interval: lambda node, scope: intervals.literal(node),
            exp.WithinGroup: self._aggregate,
            exp.WindowSpec: self._frame,
            exp.Dot: self._field,
            exp.Lambda: self._lambda,
        }

    def query(self, tree: exp.Expr, scope: Scope) -> exp.Expr:
        """Translates a query inside an expression, in the given scope."""
        raise NotImplementedError

    def expression(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """Translates an expression: first its parts, so that their types are known, then the node."""
        if isinstance(node, (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)):
            return self.query(node, scope.inner())
        if special := self._special.get(type(node)):
            return special(node, scope)
        for name, value in list(node.args.items()):
            if isinstance(value, exp.Expr):
                node.set(name, self.expression(value, scope))
            elif isinstance(value, list):
                node.set(name, [self.expression(item, scope) if isinstance(item, exp.Expr) else item for item in value])
        return nodes.combine(node, scope)

    def _lambda(self, node: exp.Lambda, scope: Scope, types: list[str] | None = None) -> exp.Expr:
        """A lambda; ``types`` are those of its parameters, if they are known."""
        depth = len(scope.lambda_types) + len(scope.lambda_names)
        names = {str(name.this).lower(): f"{str(name.this).lower()}${depth}" for name in node.expressions}
        if types is not None and len(types) != len(names):
            raise QueryError(
                f"TYPE_MISMATCH: Expected a lambda that takes {len(types)} argument(s) but got {len(names)}"
            )
        lambdas.rename(node, names)
        inner = Scope(
            scope.connection,
            outer=scope.outer,
            ctes=scope.ctes,
            sources=scope.sources,
            group=scope.group,
            lambda_names=scope.lambda_names | (frozenset() if types else frozenset(names.values())),
            lambda_types={**scope.lambda_types, **(dict(zip(names.values(), types, strict=True)) if types else {})},
        )
        body = self.expression(node.this, inner)
        written = Fragment(this=f"lambda {', '.join(text(name) for name in node.expressions)}: {text(body)}")
        written.meta["returns"] = inner.type_of(body)
        written.meta["parameters"] = [text(name) for name in node.expressions]
        written.meta["body"] = text(body)
        return written

    def _field(self, node: exp.Dot, scope: Scope) -> exp.Expr:
        """A field of a row: ``value.name``; the name is none of a column."""
        node.set("this", self.expression(node.this, scope))
        return functions_row.field(node, scope)

    def _frame(self, node: exp.WindowSpec, scope: Scope) -> exp.Expr:
        for side in ("start", "end"):
            bound = node.args.get(side)
            if isinstance(bound, exp.Interval):
                node.set(side, Fragment(this=intervals.range_step(intervals.literal(bound))))
            elif isinstance(bound, exp.Expr):
                node.set(side, self.expression(bound, scope))
        return node

    def _cast(self, node: exp.Cast, scope: Scope) -> exp.Expr:
        inner, wanted = node.this, node.args["to"]
        safe = isinstance(node, exp.TryCast)
        if node.meta.get("literal"):
            return casts.literal(str(inner.this), wanted, scope)
        value = self.expression(inner, scope)
        source = scope.type_of(value)
        if source == "JSON" or wanted.is_type(exp.DType.JSON):
            return functions_json.cast(value, source, wanted, safe=safe)
        return casts.cast(value, source, wanted, safe=safe)

    # --- functions ---------------------------------------------------------------------------------------------

    def _arguments(self, node: exp.Anonymous, scope: Scope) -> FunctionCall:
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
                raise QueryError("FUNCTION_NOT_FOUND: count(DISTINCT …) takes one argument")
        return FunctionCall(name, self._translated(name, arguments, scope), scope, distinct, order)

    def _translated(self, name: str, arguments: list[exp.Expr], scope: Scope) -> list[exp.Expr]:
        """Translates arguments in their order: a lambda's parameters have types that the arguments before it decide."""
        translated: list[exp.Expr] = []
        for argument in arguments:
            if not isinstance(argument, exp.Lambda):
                translated.append(self.expression(argument, scope))
                continue
            types = [found.meta["returns"] if "returns" in found.meta else scope.type_of(found) for found in translated]
            written = self._lambda(argument.copy(), scope, lambdas.parameter_types(name, types))
            if name == "reduce" and len(translated) == 2 and (wider := lambdas.state_type(types[1], written)):
                # The state has the common type of the first state and of what the lambda returns.
                translated[1] = Fragment(this=coerce(bracketed(translated[1]), str(types[1]), wider))
                written = self._lambda(argument, scope, lambdas.parameter_types(name, [types[0], wider]))
            translated.append(written)
        return translated

    def _call(self, node: exp.Anonymous, scope: Scope) -> exp.Expr:
        name = str(node.this).lower()
        if name in AGGREGATES:
            return self._aggregate(node, scope)
        if name in WINDOWS:
            raise QueryError(f"SYNTAX_ERROR: Window function {name} requires an OVER clause")
        if name == "mod" and len(node.expressions) == 2:
            left, right = (exp.Paren(this=operand) for operand in node.expressions)
            return self.expression(exp.Mod(this=left, expression=right), scope)
        if name in _QUANTIFIERS and len(node.expressions) == 1:
            # sqlglot 30.15 reads ALL (VALUES …) as a function.
            return _QUANTIFIERS[name](this=exp.Subquery(this=self.query(node.expressions[0], scope.inner())))
        if name == "grouping":
            return Fragment(
                this=f"grouping({', '.join(text(self.expression(item, scope)) for item in node.expressions)})"
            )
        if name not in SCALARS:
            raise UnsupportedError(f"the function {name}", _NOT_COMPARED)
        call = self._arguments(node, scope)
        _require_parameters(call, SCALARS[name], plain=True)
        return SCALARS[name].handler(call)

    def _aggregate(self, node: exp.Expr, scope: Scope, over: str = "") -> exp.Expr:
        """An aggregate with its FILTER, IGNORE NULLS and OVER; a cast to Trino's type goes around all of it."""
        condition, ignore_nulls, within, inner = "", False, "", node
        if isinstance(inner, exp.Filter):
            condition, inner = self._filter(inner, scope), inner.this
        if isinstance(inner, exp.WithinGroup):
            within, inner = text(self.expression(inner.expression, scope)).strip(), inner.this
        if isinstance(inner, exp.IgnoreNulls):
            ignore_nulls, inner = True, inner.this
        if not isinstance(inner, exp.Anonymous):
            raise UnsupportedError(f"{type(inner).__name__} as an aggregate or window function")
        name = str(inner.this).lower()
        entry = (WINDOWS if over else {}).get(name) or AGGREGATES.get(name)
        if entry is None:
            raise UnsupportedError(f"the aggregate or window function {name}", _NOT_COMPARED)
        call = self._arguments(inner, scope)
        if (name == "listagg") != bool(within):
            raise QueryError(f"SYNTAX_ERROR: {name} and WITHIN GROUP: only listagg has it, and needs it")
        call.order = f" {within}" if within else call.order
        _require_parameters(call, entry)
        if ignore_nulls:
            _require_null_treatment(name)
        written = text(entry.handler(call))
        if ignore_nulls:
            written = written[:-1] + " IGNORE NULLS)"
        narrow = narrowing(name, call.known_type(0)) if name in ("sum", "avg") else None
        whole = suffixed(written, condition, over)
        return Fragment(this=f"CAST({whole} AS {narrow})" if narrow else whole)

    def _filter(self, node: exp.Filter, scope: Scope) -> str:
        condition = self.expression(node.expression.this, scope)
        operators.boolean(condition, scope, "FILTER clause")
        return text(condition)

    def _window(self, node: exp.Window, scope: Scope) -> exp.Expr:
        require_only(node, {"this", "partition_by", "order", "spec", "over"})
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


def _require_parameters(call: FunctionCall, entry: Translation, *, plain: bool = False) -> None:
    """Fails as Trino does for a wrong number of arguments, and for DISTINCT or ORDER BY in a plain function."""
    count = len(call.args)
    if (plain and (call.distinct or call.order)) or not entry.min_args <= count <= entry.max_args:
        raise QueryError(f"FUNCTION_NOT_FOUND: Unexpected parameters for function {call.name}: {count} given")


def _require_null_treatment(name: str) -> None:
    if name not in WINDOWS:
        raise UnsupportedError(f"IGNORE NULLS of {name}")
    if name in _RANKINGS:
        raise QueryError(f"SYNTAX_ERROR: Cannot specify a null treatment clause for {name}")
