"""Casts to and from JSON, as Trino's JsonUtil makes them."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any

import pyarrow as pa

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.functions import json_text
from infra.localcloud.athena.functions.json_text import Fraction, Pairs, Whole
from infra.localcloud.athena.functions.number_text import varchar_text
from infra.localcloud.athena.functions.python import PythonFunction
from infra.localcloud.athena.translator.types import split_top, struct_fields
from infra.localcloud.athena.values import athena_text, double_text, single_text

_INTEGERS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}
_KEYS = frozenset({"BOOLEAN", *_INTEGERS, "FLOAT", "DOUBLE", "VARCHAR"})
_PLAIN = frozenset({*_KEYS, "JSON"})
# A timestamp of another precision than three digits is a struct of one field that is named after its type.
_TIMESTAMP = re.compile(r'STRUCT\("timestamp\((\d)\)" TIMESTAMP\)')
_TO_ONLY = frozenset({"DATE", "TIMESTAMP", "TIMESTAMP_MS", '"NULL"'})


def castable(duckdb_type: str, *, to_json: bool) -> bool:
    """Whether Trino casts values of a DuckDB type to JSON, or JSON to them."""
    if duckdb_type.endswith("[]"):
        return castable(duckdb_type[:-2], to_json=to_json)
    if duckdb_type.startswith("MAP("):
        key, value = split_top(duckdb_type[4:-1])
        keys = key in _KEYS or key.startswith("DECIMAL(") or (to_json and key == '"NULL"')
        return keys and castable(value, to_json=to_json)
    if _TIMESTAMP.fullmatch(duckdb_type):
        return to_json
    if duckdb_type.startswith("STRUCT("):
        return all(castable(kind, to_json=to_json) for _, kind in struct_fields(duckdb_type))
    return duckdb_type in _PLAIN or duckdb_type.startswith("DECIMAL(") or (to_json and duckdb_type in _TO_ONLY)


# --- to JSON -------------------------------------------------------------------------------------------------------


def _plain_text(value: Any, kind: str) -> str:
    """Writes a value that is no array, map or row and not null."""
    if kind == "JSON":
        return str(value)
    if kind == "BOOLEAN":
        return "true" if value else "false"
    if kind in ("FLOAT", "DOUBLE"):
        written = single_text(value) if kind == "FLOAT" else double_text(value)
        return written if math.isfinite(value) else f'"{written}"'
    if kind == "VARCHAR":
        return json_text.quoted(value)
    if kind in _INTEGERS or kind.startswith("DECIMAL("):
        return str(value)
    return json_text.quoted(athena_text(value, kind) or "")


def _key_text(value: Any, kind: str) -> str:
    if kind == "VARCHAR":
        return str(value)
    return f"{value:f}" if isinstance(value, Decimal) else _plain_text(value, kind).strip('"')


def _texts(column: pa.Array, kind: str) -> list[str]:
    """Writes each value of a column; a null becomes JSON's null."""
    if kind.endswith("[]"):
        items = _texts(column.flatten(), kind[:-2])
        return _nested(column, lambda start, end: "[" + ",".join(items[start:end]) + "]")
    if kind.startswith("MAP("):
        return _map_texts(column, *split_top(kind[4:-1]))
    if kind.startswith("STRUCT("):
        fields = struct_fields(kind)
        written = [_texts(child, found) for child, (_, found) in zip(column.flatten(), fields, strict=True)]
        names = [json_text.quoted(name or "") for name, _ in fields]
        return [
            "{" + ",".join(f"{name}:{item}" for name, item in zip(names, row, strict=True)) + "}" if valid else "null"
            for valid, row in zip(column.is_valid().to_pylist(), zip(*written, strict=True), strict=True)
        ]
    return ["null" if value is None else _plain_text(value, kind) for value in column.to_pylist()]


def _nested(column: pa.Array, write: Callable[[int, int], str]) -> list[str]:
    """Writes lists of which the elements of the valid ones were flattened."""
    written, start = [], 0
    for length in column.value_lengths().to_pylist():
        if length is None:
            written.append("null")
            continue
        written.append(write(start, start + length))
        start += length
    return written


def _map_texts(column: pa.Array, key: str, kind: str) -> list[str]:
    entries = pa.ListArray.from_arrays(column.offsets, pa.array(range(len(column.items)), pa.int64()))
    items = _texts(column.items, kind)
    keys = [_key_text(found, key) for found in column.keys.to_pylist()]
    written = []
    for valid, positions in zip(column.is_valid().to_pylist(), entries.to_pylist(), strict=True):
        pairs = sorted(((keys[index], items[index]) for index in positions), key=lambda pair: json_text.utf16(pair[0]))
        written.append("{" + ",".join(f"{json_text.quoted(k)}:{v}" for k, v in dict(pairs).items()) + "}")
        if not valid:
            written[-1] = "null"
    return written


def _to_json(kinds: pa.ChunkedArray, column: pa.ChunkedArray) -> list[str | None]:
    """Casts a column to JSON; a value that is null as a whole stays null."""
    if not len(kinds):
        return []
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    written = _texts(array, kinds[0].as_py())
    return [text if valid else None for text, valid in zip(written, array.is_valid().to_pylist(), strict=True)]


# --- from JSON -----------------------------------------------------------------------------------------------------


class _WrongJsonError(Exception):
    """A JSON value is not of the wanted type."""


def _text(value: Any, kind: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        return varchar_text(float(value))
    if isinstance(value, str):
        return str(value)
    raise _WrongJsonError(f"Unexpected token when cast to {kind.lower()}")


def _boolean(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, Whole | Fraction):
        return float(value) != 0
    if isinstance(value, str) and value.lower() in ("true", "t", "1", "false", "f", "0"):
        return value.lower() in ("true", "t", "1")
    raise _WrongJsonError("it is no boolean")


def _integer(value: Any, kind: str) -> int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Fraction):
        double = float(value)
        if not math.isfinite(double):
            raise QueryError(f"NUMERIC_VALUE_OUT_OF_RANGE: Out of range for {kind.lower()}: {double_text(double)}")
        number = int(Decimal(double).quantize(Decimal(1), ROUND_HALF_UP)) if abs(double) < 2**63 else int(double)
        return _in_range(number, kind, f"NUMERIC_VALUE_OUT_OF_RANGE: Out of range for {kind.lower()}: {value}")
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+", value):
        return _in_range(int(value), kind, "")
    raise _WrongJsonError("it is no whole number")


def _in_range(number: int, kind: str, error: str) -> int:
    limit = 2 ** (_INTEGERS[kind] - 1)
    if -limit <= number < limit:
        return number
    if error:
        raise QueryError(error)
    raise _WrongJsonError("it is out of range")


def _double(value: Any, kind: str) -> float:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        stripped = value.strip()
        if re.fullmatch(r"[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|Infinity)|[+-]?NaN", stripped):
            return float(stripped)
    raise _WrongJsonError("it is no number")


def _decimal(value: Any, kind: str) -> Decimal:
    precision, scale = map(int, re.findall(r"\d+", kind))
    if isinstance(value, bool):
        value = Whole(int(value))
    if not isinstance(value, str):
        raise _WrongJsonError("it is no number")
    with localcontext(prec=400):
        try:
            number = Decimal(value).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
        except InvalidOperation:
            raise _WrongJsonError("it is no decimal") from None
        if not number.is_finite() or abs(number) >= Decimal(10) ** (precision - scale):
            raise _WrongJsonError("it is out of range")
        return number


def _map(value: Any, kind: str) -> list[tuple[Any, Any]]:
    if not isinstance(value, Pairs):
        raise _WrongJsonError("Expected a json object")
    key_kind, value_kind = split_top(kind[4:-1])
    converted = [(_value(key, key_kind), _value(item, value_kind)) for key, item in value]
    if len({key for key, _ in converted}) < len(converted):
        raise _WrongJsonError("Duplicate keys are not allowed")
    return converted


def _row(value: Any, kind: str) -> dict[str, Any]:
    fields = [(name or "", found) for name, found in struct_fields(kind)]
    if isinstance(value, Pairs):
        found: dict[str, Any] = {}
        for key, item in value:
            if key.lower() in found:
                raise _WrongJsonError(f"Duplicate field: {key}")
            found[key.lower()] = item
        return {name: _value(found.get(name.lower()), field_kind) for name, field_kind in fields}
    if not isinstance(value, list) or len(value) != len(fields):
        raise _WrongJsonError("Expected a json array or object of the row's fields")
    return {name: _value(item, field_kind) for item, (name, field_kind) in zip(value, fields, strict=True)}


_CASTS: dict[str, Callable[[Any, str], Any]] = {
    "BOOLEAN": _boolean,
    **dict.fromkeys(_INTEGERS, _integer),
    "DOUBLE": _double,
    "FLOAT": _double,
    "VARCHAR": _text,
}


def _value(value: Any, kind: str) -> Any:
    if kind == "JSON":
        return json_text.write(value)
    if value is None:
        return None
    if kind.endswith("[]"):
        if isinstance(value, Pairs) or not isinstance(value, list):
            raise _WrongJsonError("Expected a json array")
        return [_value(item, kind[:-2]) for item in value]
    if kind.startswith("MAP("):
        return _map(value, kind)
    if kind.startswith("STRUCT("):
        return _row(value, kind)
    if kind.startswith("DECIMAL("):
        return _decimal(value, kind)
    return _CASTS[kind](value, kind)


def _reader(kind: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return _value(json_text.read_document(text), kind)
        except _WrongJsonError as error:
            raise QueryError(f"INVALID_CAST_ARGUMENT: Cannot cast '{text}' to {kind.lower()}: {error}") from None

    return read


def from_json(kind: str, functions: dict[str, PythonFunction]) -> str:
    """Makes the function that casts JSON to a DuckDB type, and returns its name."""
    name = "py_from_json_" + hashlib.sha256(kind.encode()).hexdigest()[:16]
    # pyarrow 25 builds no nested array of JSON: the caller casts varchar to it.
    returned = re.sub(r"\bJSON\b", "VARCHAR", kind)
    functions.setdefault(name, PythonFunction(name, _reader(kind), ("VARCHAR",), returned))
    return name


FUNCTIONS = (PythonFunction("py_to_json", _to_json, None, "JSON", typed=True),)
