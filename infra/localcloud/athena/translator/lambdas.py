"""The parameters of lambdas: their types, which the function's other arguments decide, and names of their own."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from infra.localcloud.athena.translator.coercion import common
from infra.localcloud.athena.translator.types import split_top

# The types of a lambda's parameters from the types of the arguments before it; None if they are not known.
_Types = Callable[[list[str]], list[str]]


def _element(types: list[str]) -> list[str]:
    return [types[0][:-2]]


def _entry(types: list[str]) -> list[str]:
    return split_top(types[0][4:-1])


def _reduce(types: list[str]) -> list[str]:
    return [types[1], types[0][:-2]] if len(types) == 2 else [types[1]]


def _two_maps(types: list[str]) -> list[str]:
    return [*split_top(types[0][4:-1]), split_top(types[1][4:-1])[1]]


_PARAMETERS: dict[str, _Types] = {
    "transform": _element,
    "filter": _element,
    "any_match": _element,
    "all_match": _element,
    "none_match": _element,
    "array_sort": lambda types: _element(types) * 2,
    "reduce": _reduce,
    "zip_with": lambda types: [types[0][:-2], types[1][:-2]],
    "map_filter": _entry,
    "transform_keys": _entry,
    "transform_values": _entry,
    "map_zip_with": _two_maps,
    "regexp_replace": lambda types: ["VARCHAR[]"],
}
_KINDS = {"map_filter": "MAP(", "transform_keys": "MAP(", "transform_values": "MAP(", "map_zip_with": "MAP("}
# Functions of text whose lambda gets the groups of a match.
_OF_TEXT = {"regexp_replace"}


def parameter_types(function: str, before: list[str | None]) -> list[str] | None:
    """Finds the types of a lambda's parameters.

    Args:
        function: The function that receives the lambda.
        before: The DuckDB types of its arguments before the lambda; the type that a lambda among them returns.

    Returns:
        The types; None if they are not known.
    """
    if function not in _PARAMETERS or not before or None in before:
        return None
    types = [str(found) for found in before]
    if function in _OF_TEXT:
        fits = types[0] == "VARCHAR"
    else:
        fits = types[0].startswith("MAP(") if function in _KINDS else types[0].endswith("[]")
    return _PARAMETERS[function](types) if fits else None


def state_type(first: str | None, step: exp.Expr) -> str | None:
    """Finds a wider type of reduce's state; None if the state has the type of what the lambda returns."""
    returned = step.meta["returns"]
    if first is None or returned is None:
        return None
    wider = common(first, returned)
    return wider if wider != first else None


def rename(node: exp.Lambda, names: dict[str, str]) -> None:
    """Gives the parameters names of their own, because a column can have a parameter's name."""
    for parameter in node.expressions:
        parameter.set("this", names[str(parameter.this).lower()])
        parameter.set("quoted", True)
    for identifier in list(node.this.find_all(exp.Identifier)):
        name = str(identifier.this).lower()
        if name in names and _is_parameter(identifier, node, name):
            identifier.set("this", names[name])
            identifier.set("quoted", True)


def _is_parameter(identifier: exp.Identifier, around: exp.Lambda, name: str) -> bool:
    parent = identifier.parent
    if isinstance(parent, exp.Dot) and identifier.arg_key == "expression":
        return False
    if isinstance(parent, (exp.Column, exp.ColumnDef)):
        return False
    inner = parent
    while inner is not None and inner is not around:
        if isinstance(inner, exp.Lambda) and any(str(one.this).lower() == name for one in inner.expressions):
            return False
        inner = inner.parent
    return True
