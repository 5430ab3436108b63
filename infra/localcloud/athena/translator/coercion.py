"""Trino's implicit conversions: the common type of several expressions, and values converted to it."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.times import TimeType, time_type
from infra.localcloud.athena.translator.fragments import Fragment, bracketed
from infra.localcloud.athena.translator.scope import Scope
from infra.localcloud.athena.types import (
    INTEGERS,
    REALS,
    decimal_size,
    kind,
    quoted_name,
    split_top,
    struct_fields,
    struct_of,
)

NULL = '"NULL"'
DIGITS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19, "HUGEINT": 38}
_WIDTHS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")


def as_decimal(duck: str) -> tuple[int, int] | None:
    """Returns precision and scale of the decimal to which Trino converts an integer or decimal type."""
    return (DIGITS[duck], 0) if duck in DIGITS else decimal_size(duck)


def common(left: str, right: str) -> str | None:
    """Returns the type to which Trino converts values of two types, as a DuckDB type; None if there is none."""
    if left == right or right == NULL:
        return left
    if left == NULL:
        return right
    kinds = {kind(left), kind(right)}
    if len(kinds) > 1:
        return None
    if kinds == {"number"}:
        return _number(left, right)
    if kinds == {"time"}:
        return _time(left, right)
    if kinds == {"array"}:
        element = common(left[:-2], right[:-2])
        return None if element is None else f"{element}[]"
    if kinds == {"map"}:
        parts = [common(a, b) for a, b in zip(split_top(left[4:-1]), split_top(right[4:-1]), strict=True)]
        return None if None in parts else f"MAP({', '.join(map(str, parts))})"
    return _row(left, right) if kinds == {"row"} else None


def _number(left: str, right: str) -> str:
    if "DOUBLE" in (left, right):
        return "DOUBLE"
    if "FLOAT" in (left, right):
        return "FLOAT"
    if left in INTEGERS and right in INTEGERS:
        return max(left, right, key=_WIDTHS.index)
    (p1, s1), (p2, s2) = as_decimal(left) or (38, 0), as_decimal(right) or (38, 0)
    scale = max(s1, s2)
    return f"DECIMAL({min(38, max(p1 - s1, p2 - s2) + scale)},{scale})"


def _time(left: str, right: str) -> str:
    one, other = time_type(left) or TimeType(), time_type(right) or TimeType()
    zones = {"UTC" if found.zone is None else found.zone for found in (one, other)}
    zone = None if one.zone is None and other.zone is None else zones.pop() if len(zones) == 1 else ""
    return TimeType("timestamp", max(one.precision, other.precision), zone).duck()


def _row(left: str, right: str) -> str | None:
    one, other = struct_fields(left), struct_fields(right)
    if len(one) != len(other):
        return None
    fields: list[tuple[str | None, str]] = []
    for (name, first), (other_name, second) in zip(one, other, strict=True):
        found = common(first, second)
        if found is None:
            return None
        fields.append((name if name == other_name else None, found))
    if any(name is None for name, _ in fields):
        fields = [(None, found) for _, found in fields]
    return struct_of(fields)


def convert_time(value: str, source: TimeType, target: TimeType) -> str:
    """Converts a time to another type of time. A cast to a coarser precision rounds, as in Trino."""
    if target.base == "date":
        return f"CAST({source.wall(value)} AS DATE)"
    keeps_zone = source.zone is not None and target.zone is not None
    moment = source.utc(value) if keeps_zone else source.wall(value)
    if source.base == "date":
        moment = f"CAST({moment} AS TIMESTAMP)"
    elif target.precision < source.precision:
        moment = f"trino_rounded({moment}, {10 ** (6 - target.precision)})"
    if target.zone is None:
        return target.of_utc(moment)
    zone = (source.zone_text(value) if keeps_zone else "'UTC'") if target.zone == "" else ""
    return target.of_utc(moment, zone) if keeps_zone or target.zone == "" else target.of_wall(moment)


def with_milliseconds(duck: str) -> str:
    """Returns a DuckDB type with timestamp(3) in place of timestamps of other precisions."""
    if time := time_type(duck):
        return time.with_precision(3).duck()
    if duck.endswith("[]"):
        return f"{with_milliseconds(duck[:-2])}[]"
    if duck.startswith("MAP("):
        return f"MAP({', '.join(map(with_milliseconds, split_top(duck[4:-1])))})"
    if kind(duck) == "row":
        return struct_of([(name, with_milliseconds(of)) for name, of in struct_fields(duck)])
    return duck


def coerce(value: str, source: str, target: str, depth: int = 0) -> str:
    """Converts DuckDB text of one type to another that :func:`common` found."""
    if source == target:
        return value
    one, other = time_type(source), time_type(target)
    if one and other:
        return convert_time(value, one, other)
    if source == NULL or not _holds_structs(target):
        return f"CAST({value} AS {target})"
    name = f"c{depth}"
    if target.endswith("[]"):
        return f"list_transform({value}, lambda {name}: {coerce(name, source[:-2], target[:-2], depth + 1)})"
    if target.startswith("MAP("):
        old, new = split_top(source[4:-1]), split_top(target[4:-1])
        key = coerce(f"{name}.key", old[0], new[0], depth + 1)
        item = coerce(f"{name}.value", old[1], new[1], depth + 1)
        entry = f"{{'key': {key}, 'value': {item}}}"
        return f"map_from_entries(list_transform(map_entries({value}), lambda {name}: {entry}))"
    return renamed_row(value, source, target, depth)


def renamed_row(value: str, source: str, target: str, depth: int = 0) -> str:
    """Converts a row to another row type, field by field in their order."""
    parts = []
    for index, ((_, old), (name, new)) in enumerate(
        zip(struct_fields(source), struct_fields(target), strict=True), start=1
    ):
        part = coerce(f"struct_extract_at({value}, {index})", old, new, depth)
        parts.append(part if name is None else f"{quoted_name(name)} := {part}")
    maker = "row" if struct_fields(target)[0][0] is None else "struct_pack"
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE {maker}({', '.join(parts)}) END"


def _holds_structs(duck: str) -> bool:
    return "STRUCT(" in duck or "TIMESTAMP" in duck


def unify(nodes: list[exp.Expr], scope: Scope) -> list[exp.Expr]:
    """Converts the nodes to their common type where DuckDB would not do so as Trino does.

    Nodes of unknown or incomparable types stay as they are.
    """
    types = [scope.type_of(node) for node in nodes]
    wanted: str | None = NULL
    for found in types:
        if found is None or wanted is None:
            return nodes
        wanted = common(wanted, found)
    if wanted is None or len(set(types) - {NULL}) < 2:
        return nodes
    if all(kind(str(found)) in ("number", "null") for found in types) and not set(types) & (REALS | {"HUGEINT"}):
        return nodes  # DuckDB widens integers and decimals as Trino does.
    return [
        node if found in (wanted, NULL) else Fragment(this=coerce(bracketed(node), str(found), wanted))
        for node, found in zip(nodes, types, strict=True)
    ]
