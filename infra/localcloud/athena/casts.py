"""CAST and TRY_CAST as Trino does them: stricter about text, half up instead of half even, Java's text of doubles."""

from __future__ import annotations

import re

from sqlglot import exp

from .errors import QueryFailed, Refused
from .raw import Raw, bracketed, raw, text
from .types import INTEGERS, REALS, kind

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
    """DuckDB's type of a cast's target, and the length of a varchar(n)."""
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
        raise Refused(f"timestamp({numbers[0]})", "Athena's tables hold timestamp(3).")
    if name not in _TARGETS:
        raise Refused(f"CAST to {wanted.sql(dialect='trino')}")
    return _TARGETS[name], numbers[0] if name in ("VARCHAR", "TEXT") and numbers else None


def timestamp_literal(value: str) -> Raw:
    """``timestamp '…'``: text that Trino would not read is refused, a zone too."""
    matched = _TIMESTAMP.fullmatch(value.strip())
    if not matched:
        raise Refused(f"timestamp '{value}'", "Write it as 'YYYY-MM-DD HH:MM:SS[.ffffff]', without a time zone.")
    return Raw(this=f"CAST('{value.strip()}' AS TIMESTAMP)")


def literal_varchar(value: str) -> Raw:
    """``cast(timestamp '…' as varchar)``: a literal has as many digits of a second as are written (none: no fraction)."""
    digits = len((_TIMESTAMP.fullmatch(value.strip()) or [None, ""])[1] or "")
    written = f"CAST({timestamp_literal(value).args['this']} AS TIMESTAMP)"
    if digits not in (0, 3, 6):
        raise Refused(f"CAST(timestamp '{value}' AS varchar)")
    return Raw(this=f"strftime({written}, '%Y-%m-%d %H:%M:%S{ {0: '', 3: '.%g', 6: '.%f'}[digits] }')")


def to_varchar(value: exp.Expression, source: str | None) -> Raw:
    """Text as Trino prints the value; a type that has no such text in Trino, or none that we can tell, is refused."""
    if source is None:
        raise Refused(f"CAST({text(value)} AS varchar)", "The type of the value is not known here.")
    if (
        source == "VARCHAR"
        or source == "BOOLEAN"
        or source in INTEGERS
        or source.startswith("DECIMAL")
        or source in ("DATE", '"NULL"')
    ):
        return raw("CAST({0} AS VARCHAR)", value)
    if source in REALS:
        return raw("trino_double_varchar({0})", value)
    if source == "TIMESTAMP":
        return raw("trino_timestamp_varchar({0})", value)
    if source == "TIMESTAMP WITH TIME ZONE":
        return raw("trino_timestamptz_varchar({0})", value)
    raise QueryFailed(f"TYPE_MISMATCH: Cannot cast {source.lower()} to varchar")


def from_text(value: str, wanted: str) -> str:
    """DuckDB text that casts to ``wanted`` only where Trino's own text of such a value would."""
    if wanted in INTEGERS:
        return f"trino_checked_integer({value})"
    if wanted.startswith("DECIMAL"):
        return f"trino_checked_decimal({value})"
    if wanted in _CHECKS:
        return f"trino_checked_{_CHECKS[wanted]}({value})"
    raise Refused(f"CAST of varchar to {wanted.lower()}", "For a time with a zone use from_iso8601_timestamp.")


def cast(value: exp.Expression, source: str | None, wanted: exp.DataType, *, safe: bool) -> Raw:
    """The cast; ``safe`` is TRY_CAST. An impossible pair of types fails, a doubtful one is refused."""
    duck, length = target(wanted)
    word = "TRY_CAST" if safe else "CAST"
    if duck == "VARCHAR":
        written = to_varchar(value, source)
        return written if length is None else raw(f"substring({{0}}, 1, {length})", written)
    if source == '"NULL"' or source == duck:
        return raw(f"{word}({{0}} AS {duck})", value)
    if source is None:
        raise Refused(f"{word}({text(value)} AS {duck.lower()})", "The type of the value is not known here.")
    if source == "VARCHAR":
        return Raw(this=f"{word}({from_text(bracketed(value), duck)} AS {duck})")
    pair = (kind(source), "number" if kind(duck) == "number" else kind(duck))
    if pair == ("number", "number"):
        # DuckDB rounds a double half to even; Trino rounds half away from zero.
        inner = f"round({bracketed(value)})" if source in REALS and duck in INTEGERS else bracketed(value)
        return Raw(this=f"{word}({inner} AS {duck})")
    if pair in (("number", "boolean"), ("boolean", "number")) or (pair == ("time", "time")):
        if duck == "TIMESTAMP WITH TIME ZONE" or source == "TIMESTAMP WITH TIME ZONE":
            return (
                raw(f"CAST(timezone('UTC', {{0}}) AS {duck})", value)
                if source != "DATE"
                else raw("timezone('UTC', CAST({0} AS TIMESTAMP))", value)
            )
        return raw(f"{word}({{0}} AS {duck})", value)
    if pair == ("array", "array") and source == "INTEGER[]" and duck == "BIGINT[]":
        return raw(f"{word}({{0}} AS {duck})", value)
    if source == "NULL[]" or source == '"NULL"[]':
        return raw(f"{word}({{0}} AS {duck})", value)
    if "array" in pair or "map" in pair or "row" in pair:
        raise Refused(f"CAST of {source.lower()} to {duck.lower()}")
    raise QueryFailed(f"TYPE_MISMATCH: Cannot cast {source.lower()} to {duck.lower()}")
