"""CAST and TRY_CAST as in Trino: strict about text, rounding half up, doubles in the text that Java prints."""

from __future__ import annotations

import re

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator.fragments import Fragment, bracketed, fragment, text
from infra.localcloud.athena.translator.types import INTEGERS, REALS, kind

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
    "TIMESTAMP": "TIMESTAMP",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
    "VARBINARY": "BLOB",
}
_CHECKS = {
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "FLOAT": "real",
    "DOUBLE": "real",
}
_TIMESTAMP = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?: \d{1,2}:\d{2}(?::\d{2}(?:\.(\d{1,6}))?)?)?")


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
    if name == "ARRAY" and len(wanted.expressions) == 1:
        element, length = target(wanted.expressions[0])
        if length is None:
            return f"{element}[]", None
    if name in ("TIMESTAMP", "TIMESTAMPTZ") and numbers not in ([], [3]):
        raise UnsupportedError(f"timestamp({numbers[0]})", "Athena's tables hold timestamp(3).")
    if name not in _TARGETS:
        raise UnsupportedError(f"CAST to {wanted.sql(dialect='trino')}")
    return _TARGETS[name], numbers[0] if name in ("VARCHAR", "TEXT") and numbers else None


def timestamp_literal(value: str) -> Fragment:
    """Translates ``timestamp '…'``.

    Raises:
        UnsupportedError: Trino would not read the text, or it has a time zone.
    """
    matched = _TIMESTAMP.fullmatch(value.strip())
    if not matched:
        raise UnsupportedError(
            f"timestamp '{value}'", "Write it as 'YYYY-MM-DD HH:MM:SS[.ffffff]', without a time zone."
        )
    return Fragment(this=f"CAST('{value.strip()}' AS TIMESTAMP)")


def literal_varchar(value: str) -> Fragment:
    """Translates ``cast(timestamp '…' as varchar)``: the text has as many digits of a second as the literal."""
    digits = len((_TIMESTAMP.fullmatch(value.strip()) or [None, ""])[1] or "")
    written = f"CAST({timestamp_literal(value).args['this']} AS TIMESTAMP)"
    if digits not in (0, 3, 6):
        raise UnsupportedError(f"CAST(timestamp '{value}' AS varchar)")
    return Fragment(this=f"strftime({written}, '%Y-%m-%d %H:%M:%S{ {0: '', 3: '.%g', 6: '.%f'}[digits] }')")


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
    if (
        source == "VARCHAR"
        or source == "BOOLEAN"
        or source in INTEGERS
        or source.startswith("DECIMAL")
        or source in ("DATE", '"NULL"')
    ):
        return fragment("CAST({0} AS VARCHAR)", value)
    if source == "DOUBLE":
        return fragment("trino_double_varchar({0})", value)
    if source == "FLOAT":
        return fragment("py_real_varchar({0})", value)
    if source == "UUID":
        return fragment("CAST({0} AS VARCHAR)", value)
    if source == "TIMESTAMP":
        return fragment("trino_timestamp_varchar({0})", value)
    if source == "TIMESTAMP WITH TIME ZONE":
        return fragment("trino_timestamptz_varchar({0})", value)
    raise QueryError(f"TYPE_MISMATCH: Cannot cast {source.lower()} to varchar")


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
    raise UnsupportedError(f"CAST of varchar to {wanted.lower()}", "For a time with a zone use from_iso8601_timestamp.")


def cast(value: exp.Expr, source: str | None, wanted: exp.DataType, *, safe: bool) -> Fragment:
    """Translates a cast.

    Args:
        value: The translated value.
        source: Its DuckDB type; None if it is not known.
        wanted: The target type.
        safe: Whether it is a TRY_CAST.

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
    if source == '"NULL"' or source == duck:
        return fragment(f"{word}({{0}} AS {duck})", value)
    if source is None:
        raise UnsupportedError(f"{word}({text(value)} AS {duck.lower()})", "The type of the value is not known here.")
    if source == "VARCHAR":
        return Fragment(this=f"{word}({from_text(bracketed(value), duck)} AS {duck})")
    return _between_kinds(value, source, duck, word)


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
    if pair == ("time", "time") and "TIMESTAMP WITH TIME ZONE" in (source, duck):
        if source == "DATE":
            return fragment("timezone('UTC', CAST({0} AS TIMESTAMP))", value)
        return fragment(f"CAST(timezone('UTC', {{0}}) AS {duck})", value)
    same_in_both = pair in (("number", "boolean"), ("boolean", "number"), ("time", "time"))
    widening = source == "INTEGER[]" and duck == "BIGINT[]"
    if same_in_both or widening or source in ("NULL[]", '"NULL"[]'):
        return fragment(f"{word}({{0}} AS {duck})", value)
    if "array" in pair or "map" in pair or "row" in pair:
        raise UnsupportedError(f"CAST of {source.lower()} to {duck.lower()}")
    raise QueryError(f"TYPE_MISMATCH: Cannot cast {source.lower()} to {duck.lower()}")
