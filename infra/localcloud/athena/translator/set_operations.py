"""The columns of UNION, INTERSECT and EXCEPT: their types must have a common one, to which both sides are converted."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator.coercion import coerce, common
from infra.localcloud.athena.translator.fragments import Fragment, text
from infra.localcloud.athena.translator.scope import Scope
from infra.localcloud.athena.types import quoted_name, trino_type

_Columns = list[tuple[str, str]]


def unify(tree: exp.SetOperation, scope: Scope) -> None:
    """Converts the columns of both sides, whose queries are translated.

    Raises:
        QueryError: The sides have different numbers of columns, or types without a common one.
    """
    sides = {side: scope.columns_of(text(tree.args[side])) for side in ("this", "expression")}
    left, right = sides["this"], sides["expression"]
    if left is None or right is None:
        return
    name = type(tree).__name__.upper()
    if len(left) != len(right):
        raise QueryError(f"TYPE_MISMATCH: {name} query has different number of fields: {len(left)}, {len(right)}")
    wanted = [
        _common(index, one, other, name) for index, ((_, one), (_, other)) in enumerate(zip(left, right, strict=True))
    ]
    for side, columns in sides.items():
        if columns is not None and any(_differs(found, to) for (_, found), to in zip(columns, wanted, strict=True)):
            tree.set(side, _converted(tree.args[side], columns, wanted))


def _common(index: int, one: str, other: str, name: str) -> str:
    found = common(one, other)
    if found is None:
        raise QueryError(
            f"TYPE_MISMATCH: column {index + 1} in {name} query has incompatible types: "
            f"{trino_type(one)}, {trino_type(other)}"
        )
    return found


def _differs(found: str, wanted: str) -> bool:
    """Whether DuckDB would not convert the column as Trino does."""
    return found != wanted and ("STRUCT(" in found + wanted or "FLOAT" in found + wanted or "DOUBLE" in found + wanted)


def _converted(query: exp.Expr, columns: _Columns, wanted: list[str]) -> exp.Expr:
    if query.args.get("with_"):
        raise UnsupportedError("a set operation of a query with WITH whose columns have other types", "Cast them.")
    names = [f"c{index}" for index in range(len(columns))]
    values = ", ".join(
        f"{coerce(place, found, to)} AS {quoted_name(name)}"
        for place, (name, found), to in zip(names, columns, wanted, strict=True)
    )
    return exp.Subquery(this=Fragment(this=f"SELECT {values} FROM ({text(query)}) AS side({', '.join(names)})"))
