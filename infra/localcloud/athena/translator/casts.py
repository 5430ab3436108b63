"""CAST and TRY_CAST as in Trino: strict about text, rounding half up, doubles in the text that Java prints."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.times import DAY_SECOND, TimeType, interval_type, time_type
from infra.localcloud.athena.translator import operators, zones
from infra.localcloud.athena.translator.coercion import NULL, convert_time
from infra.localcloud.athena.translator.fragments import Fragment, bracketed, fragment, text
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
    trino_type,
)

_TARGETS = {
    "BOOLEAN": "BOOLEAN",
    "TINYINT": "TINYINT",
    "SMALLINT": "SMALLINT",
    "INT": "INTEGER",
    "BIGINT": "BIGINT",
    "FLOAT": "FLOAT",
    "REAL": "FLOAT",
    "DOUBLE": "DOUBLE",
    "VARCHAR": "VARCHAR",
    "TEXT": "VARCHAR",
    "DATE": "DATE",
    "VARBINARY": "BLOB",
}
_CHECKS = {
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "FLOAT": "real",
    "DOUBLE": "real",
}


def target(wanted: exp.DataType) -> tuple[str, int | None]:
    """Finds the DuckDB type of a cast's target, and the length of a varchar(n).

    Raises:
        UnsupportedError: The type is not known here.
    """
    name = str(wanted.this.name if hasattr(wanted.this, "name") else wanted.this).upper()
    numbers = [int(size.name) for size in wanted.expressions if isinstance(size, exp.DataTypeParam)]
    if name == "DECIMAL":
        precision, scale = (numbers + [38, 0][len(numbers) :])[:2]
        return f"DECIMAL({precision},{scale})", None
    if name in ("TIMESTAMP", "TIMESTAMPTZ"):
        if numbers and numbers[0] > 6:
            raise UnsupportedError(f"timestamp({numbers[0]})", "The local cloud keeps six digits of a second.")
        return TimeType(
            "timestamp", numbers[0] if numbers else 3, "UTC" if name == "TIMESTAMPTZ" else None
        ).duck(), None
    if name in ("ARRAY", "MAP", "STRUCT"):
        return _nested_target(name, wanted), None
    if name not in _TARGETS:
        raise UnsupportedError(f"CAST to {wanted.sql(dialect='trino')}")
    return _TARGETS[name], numbers[0] if name in ("VARCHAR", "TEXT") and numbers else None


def _nested_target(name: str, wanted: exp.DataType) -> str:
    if name == "STRUCT":
        fields = _row_fields(wanted)
        return struct_of([(field, target(of)[0]) for field, of in fields])
    parts = [target(part)[0] for part in wanted.expressions]
    return f"{parts[0]}[]" if name == "ARRAY" else f"MAP({', '.join(parts)})"


def _row_fields(wanted: exp.DataType) -> list[tuple[str | None, exp.DataType]]:
    """The names and types of a ROW type's fields; one name alone makes the row anonymous."""
    fields: list[tuple[str | None, exp.DataType]] = []
    for part in wanted.expressions:
        if isinstance(part, exp.ColumnDef):
            name = part.name if part.this.args.get("quoted") else part.name.lower()
            fields.append((name, part.args["kind"]))
        else:
            fields.append((None, part))
    return fields if all(name is not None for name, _ in fields) else [(None, of) for _, of in fields]


def literal(written: str, wanted: exp.DataType, scope: Scope) -> exp.Expr:
    """Translates ``timestamp '…'`` and ``decimal '…'``.

    Raises:
        QueryError: The text is no such value.
    """
    if wanted.this == exp.DType.DECIMAL:
        return operators.decimal_literal(written)
    return zones.timestamp_literal(written, scope)


def to_varchar(value: exp.Expr, source: str | None) -> Fragment:
    """Translates a cast to varchar, with the text that Trino prints.

    Args:
        value: The translated value.
        source: Its DuckDB type; None if it is not known.

    Raises:
        QueryError: Trino has no such cast.
        UnsupportedError: The type is not known.
    """
    if source is None:
        raise UnsupportedError(f"CAST({text(value)} AS varchar)", "The type of the value is not known here.")
    if source == "VARCHAR" or source == "BOOLEAN" or source in INTEGERS or source == NULL:
        return fragment("CAST({0} AS VARCHAR)", value)
    if size := decimal_size(source):
        # DuckDB 1.5 prints .05 if the type has no digit before the point.
        written = (
            "regexp_replace(CAST({0} AS VARCHAR), '^(-?)[.]', '\\10.')"
            if size[0] == size[1]
            else "CAST({0} AS VARCHAR)"
        )
        return fragment(written, value)
    if source == "DOUBLE":
        return fragment("trino_double_varchar({0})", value)
    if source == "FLOAT":
        return fragment("py_real_varchar({0})", value)
    if source == "UUID":
        return fragment("CAST({0} AS VARCHAR)", value)
    if time := time_type(source):
        return Fragment(this=time_text(bracketed(value), time))
    if name := interval_type(source):
        return fragment(f"trino_{'seconds' if name == DAY_SECOND else 'months'}_text({{0}}['{name}'])", value)
    raise QueryError(f"TYPE_MISMATCH: Cannot cast {trino_type(source)} to varchar")


def time_text(value: str, time: TimeType) -> str:
    """Writes a time as the text that Trino prints."""
    if time.base == "date":
        return f"trino_date_text({value})"
    zone = "" if time.zone is None else f" || ' ' || {time.zone_text(value)}"
    return f"(trino_timestamp_text({time.wall(value)}, {time.precision}){zone})"


def from_text(value: str, wanted: str) -> str:
    """Wraps text for a cast to ``wanted``, so that the cast fails where Trino's would.

    Args:
        value: The DuckDB text of the varchar.
        wanted: The DuckDB type of the cast.

    Raises:
        UnsupportedError: Text is not cast to this type here.
    """
    if wanted in INTEGERS:
        return f"trino_checked_integer({value})"
    if wanted.startswith("DECIMAL"):
        return f"trino_checked_decimal({value})"
    if wanted in _CHECKS:
        return f"trino_checked_{_CHECKS[wanted]}({value})"
    raise QueryError(f"TYPE_MISMATCH: Cannot cast varchar to {trino_type(wanted)}")


def cast(value: exp.Expr, source: str | None, wanted: exp.DataType, *, safe: bool, depth: int = 0) -> Fragment:
    """Translates a cast.

    Args:
        value: The translated value.
        source: Its DuckDB type; None if it is not known.
        wanted: The target type.
        safe: Whether it is a TRY_CAST.
        depth: How many casts of arrays, maps and rows are around it.

    Raises:
        QueryError: Trino has no such cast.
        UnsupportedError: The result could differ from Trino's.
    """
    if source == "JSON":
        raise UnsupportedError("CAST of json inside an array, map or row")
    duck, length = target(wanted)
    word = "TRY_CAST" if safe else "CAST"
    if duck == "VARCHAR":
        written = to_varchar(value, source)
        return written if length is None else _limited(written, source, length, safe=safe)
    if source == NULL:
        return fragment(f"{word}({{0}} AS {duck})", value)
    if source is None:
        raise UnsupportedError(
            f"{word}({text(value)} AS {trino_type(duck)})", "The type of the value is not known here."
        )
    if source == duck:
        return fragment(f"{word}({{0}} AS {duck})", value)
    if source == "VARCHAR" and not time_type(duck):
        return Fragment(this=f"{word}({from_text(bracketed(value), duck)} AS {duck})")
    if source == "VARCHAR":
        inner = _time_of_text(bracketed(value), duck)
        return Fragment(this=f"TRY({inner})" if safe else inner)
    if kind(source) in ("array", "map", "row"):
        inner = _nested(bracketed(value), source, duck, wanted, depth)
        return Fragment(this=f"TRY({inner})" if safe else inner)
    return _between_kinds(value, source, duck, word)


def _time_of_text(value: str, duck: str) -> str:
    time = time_type(duck) or TimeType()
    if time.base == "date":
        return f"CAST(trino_checked_date({value}) AS DATE)"
    unit = 10 ** (6 - time.precision)
    if time.zone is None:
        return time.of_utc(f"trino_rounded(CAST(trino_checked_timestamp({value}) AS TIMESTAMP), {unit})")
    moment = f"trino_rounded(CAST(trino_checked_timestamp(trino_zoned_text({value})['time']) AS TIMESTAMP), {unit})"
    zone = f"trino_zone(coalesce(nullif(trino_zoned_text({value})['zone'], ''), 'UTC'))"
    return TimeType(precision=time.precision, zone="").of_wall(moment, zone)


def _nested(value: str, source: str, duck: str, wanted: exp.DataType, depth: int) -> str:
    """A cast of an array, map or row, element by element."""
    pair = kind(source), kind(duck)
    if pair == ("row", "row") and len(struct_fields(source)) == len(_row_fields(wanted)):
        parts = []
        for index, ((_, old), (name, new)) in enumerate(
            zip(struct_fields(source), _row_fields(wanted), strict=True), start=1
        ):
            part = text(cast(Fragment(this=f"struct_extract_at({value}, {index})"), old, new, safe=False, depth=depth))
            parts.append(part if name is None else f"{quoted_name(name)} := {part}")
        maker = "row" if struct_fields(duck)[0][0] is None else "struct_pack"
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE {maker}({', '.join(parts)}) END"
    item = f"k{depth}"
    if pair == ("array", "array"):
        inner = cast(Fragment(this=item), source[:-2], wanted.expressions[0], safe=False, depth=depth + 1)
        return f"list_transform({value}, lambda {item}: {text(inner)})"
    if pair == ("map", "map"):
        old_key, old_value = split_top(source[4:-1])
        new_key, new_value = wanted.expressions
        key = cast(Fragment(this=f"{item}.key"), old_key, new_key, safe=False, depth=depth + 1)
        entry = cast(Fragment(this=f"{item}.value"), old_value, new_value, safe=False, depth=depth + 1)
        made = f"{{'key': {text(key)}, 'value': {text(entry)}}}"
        return f"map_from_entries(list_transform(map_entries({value}), lambda {item}: {made}))"
    raise QueryError(f"TYPE_MISMATCH: Cannot cast {trino_type(source)} to {trino_type(duck)}")


def _limited(written: Fragment, source: str | None, length: int, *, safe: bool) -> Fragment:
    """A cast to varchar(n): longer text is cut, the text of another value is an error if it is longer."""
    if source in ("VARCHAR", '"NULL"'):
        return fragment(f"substring({{0}}, 1, {length})", written)
    failing = (
        "NULL"
        if safe
        else (
            "py_fail_varchar('INVALID_CAST_ARGUMENT: Value ' || {0} || ' cannot be represented as varchar("
            f"{length})')"
        )
    )
    return fragment(f"CASE WHEN length({{0}}) <= {length} THEN {{0}} ELSE {failing} END", written)


def _between_kinds(value: exp.Expr, source: str, duck: str, word: str) -> Fragment:
    """A cast from a known type other than text, to another type other than text."""
    pair = (kind(source), kind(duck))
    if pair == ("number", "number"):
        # DuckDB rounds a double half to even; Trino rounds half away from zero.
        inner = f"round({bracketed(value)})" if source in REALS and duck in INTEGERS else bracketed(value)
        return Fragment(this=f"{word}({inner} AS {duck})")
    if pair == ("time", "time"):
        old, new = time_type(source) or TimeType(), time_type(duck) or TimeType()
        if old.zone is not None and new.zone is not None:
            new = TimeType(precision=new.precision, zone=old.zone)
        return Fragment(this=convert_time(bracketed(value), old, new))
    if pair in (("number", "boolean"), ("boolean", "number")):
        return fragment(f"{word}({{0}} AS {duck})", value)
    raise QueryError(f"TYPE_MISMATCH: Cannot cast {trino_type(source)} to {trino_type(duck)}")
