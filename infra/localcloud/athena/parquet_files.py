"""Parquet files behind a table: checks each file's columns against the table's, as Trino's reader does.

Columns are found by name, whatever their case. A column that a file lacks is null. Integers may be read as wider ones,
and decimals in another scale; every other difference of type fails the query.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.hive_types import INTEGER_BITS, HiveType, hive_type
from infra.localcloud.athena.types import hive_to_duckdb

_EPOCHS = {"s": "epoch", "ms": "epoch_ms", "us": "epoch_us", "ns": "epoch_ns"}


class _MismatchError(Exception):
    """A file's column has a type that Athena does not read as the table's."""


def quoted(name: str) -> str:
    """Writes a name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def schema_of(path: Path, uri: str) -> pa.Schema:
    """Reads the schema of a Parquet file.

    Raises:
        QueryError: The file is not Parquet.
    """
    try:
        return pq.read_schema(path).remove_metadata()
    except (pa.ArrowInvalid, OSError):
        raise QueryError(
            f"HIVE_BAD_DATA: Error opening Hive split {uri} (offset=0, length={path.stat().st_size}): Not valid Parquet"
            f" file: {uri} expected magic number: PAR1"
        ) from None


def columns_of_file(schema: pa.Schema, columns: Sequence[tuple[str, str]], path: Path, uri: str) -> list[str]:
    """Writes each column of the table as a DuckDB expression over the columns of a file.

    Args:
        schema: The file's schema.
        columns: The table's columns: name and Hive type.
        path: The file.
        uri: Its S3 URI.

    Raises:
        QueryError: A column of the file cannot be read as the table's type.
    """
    fields: dict[str, pa.Field] = {}
    for field in schema:
        if field.name.lower() not in fields or field.name == field.name.lower():
            fields[field.name.lower()] = field
    written = []
    for name, hive in columns:
        found = fields.get(name.lower())
        wanted = hive_type(hive)
        if found is None:
            value = f"CAST(NULL AS {hive_to_duckdb(hive)})"
        else:
            try:
                value = _convert(quoted(found.name), found.type, wanted)
            except _MismatchError:
                raise QueryError(
                    f"HIVE_BAD_DATA: Field {name.lower()}'s type {_physical(path, found.name)} in parquet file {uri} is"
                    f" incompatible with type {hive} defined in table schema"
                ) from None
        written.append(f"{value} AS {quoted(name.lower())}")
    return written


def _physical(path: Path, name: str) -> str:
    """The physical type of a file's column, as Parquet names it."""
    schema = pq.ParquetFile(path).schema
    for index in range(len(schema.names)):
        column = schema.column(index)
        if column.path == name:
            return {"BYTE_ARRAY": "BINARY"}.get(column.physical_type, str(column.physical_type))  # Java's name
    return "group"


def _convert(value: str, found: Any, wanted: HiveType) -> str:
    """Writes the conversion of a value of a file's type to the table's type; the same text if they are the same."""
    if isinstance(found, pa.DictionaryType):
        found = found.value_type
    if wanted.nested:
        return _convert_nested(value, found, wanted)
    if wanted.name in INTEGER_BITS:
        return _to_integer(value, found, wanted)
    if wanted.name in ("string", "varchar", "char", "binary"):
        return _to_text(value, found, wanted)
    handler = {"decimal": _to_decimal, "timestamp": _to_timestamp, "date": _to_date, "double": _to_double}.get(
        wanted.name
    )
    if handler:
        return handler(value, found, wanted)
    exact = {"boolean": pa.types.is_boolean, "float": pa.types.is_float32}[wanted.name]
    return _require(exact(found), value)


def _require(fits: bool, value: str) -> str:
    if not fits:
        raise _MismatchError
    return value


def _to_integer(value: str, found: Any, wanted: HiveType) -> str:
    if wanted.name == "bigint" and pa.types.is_timestamp(found):
        return f"CAST({_EPOCHS[found.unit]}({value}) AS BIGINT)"
    if pa.types.is_decimal(found) and found.scale == 0 and found.precision <= 18:
        return f"CAST({value} AS {hive_to_duckdb(wanted.text)})"
    # A file has INT32 for every width up to 32 bits. Trino reads it as any integer, and INT64 only as bigint.
    narrow = pa.types.is_integer(found) and found.bit_width <= 32 and not pa.types.is_uint32(found)
    wide = pa.types.is_int64(found) or pa.types.is_uint64(found) or pa.types.is_uint32(found)
    _require(narrow or (wide and wanted.name == "bigint"), value)
    same = found.bit_width == INTEGER_BITS[wanted.name] and pa.types.is_signed_integer(found)
    return value if same else f"CAST({value} AS {hive_to_duckdb(wanted.text)})"


def _to_decimal(value: str, found: Any, wanted: HiveType) -> str:
    narrow = pa.types.is_integer(found) and found.bit_width <= 32 and wanted.numbers[0] <= 18
    _require(narrow or pa.types.is_decimal(found), value)
    same = pa.types.is_decimal(found) and (found.precision, found.scale) == wanted.numbers
    return value if same else f"CAST({value} AS {hive_to_duckdb(wanted.text)})"


def _to_timestamp(value: str, found: Any, wanted: HiveType) -> str:
    _require(pa.types.is_timestamp(found), value)
    plain = value if found.tz is None and found.unit in ("ms", "us") else f"CAST({value} AS TIMESTAMP)"
    return plain if found.unit in ("s", "ms") else f"trino_milli({plain})"  # Athena's timestamps have milliseconds


def _to_date(value: str, found: Any, wanted: HiveType) -> str:
    if pa.types.is_int32(found):
        return f"(DATE '1970-01-01' + {value})"
    return _require(pa.types.is_date32(found), value)


def _to_double(value: str, found: Any, wanted: HiveType) -> str:
    if pa.types.is_float32(found):
        return f"CAST({value} AS DOUBLE)"
    return _require(pa.types.is_float64(found), value)


def _to_text(value: str, found: Any, wanted: HiveType) -> str:
    string = pa.types.is_string(found) or pa.types.is_large_string(found)
    _require(string or pa.types.is_binary(found) or pa.types.is_large_binary(found), value)
    if wanted.name == "binary":
        return f"encode({value})" if string else value
    decoded = value if string else f"decode({value})"
    return f"substring({decoded}, 1, {wanted.numbers[0]})" if wanted.numbers else decoded


def _convert_nested(value: str, found: Any, wanted: HiveType) -> str:
    if wanted.name == "array":
        _require(pa.types.is_list(found) or pa.types.is_large_list(found), value)
        element = _convert("e", found.value_type, wanted.children[0])
        return value if element == "e" else f"list_transform({value}, lambda e: {element})"
    if wanted.name == "map":
        _require(pa.types.is_map(found), value)
        key = _convert("e.key", found.key_type, wanted.children[0])
        item = _convert("e.value", found.item_type, wanted.children[1])
        if (key, item) == ("e.key", "e.value"):
            return value
        entry = f"{{'key': {key}, 'value': {item}}}"
        return f"map_from_entries(list_transform(map_entries({value}), lambda e: {entry}))"
    _require(pa.types.is_struct(found), value)
    return _convert_struct(value, found, wanted)


def _convert_struct(value: str, found: Any, wanted: HiveType) -> str:
    """Fields are found by name: a field that a file lacks is null, one that only the file has is left out."""
    there = {field.name.lower(): field for field in found}
    parts, same = [], [field.name.lower() for field in found] == list(wanted.fields)
    for name, child in zip(wanted.fields, wanted.children, strict=True):
        field = there.get(name)
        if field is None:
            parts.append(f"{quoted(name)} := CAST(NULL AS {hive_to_duckdb(child.text)})")
            continue
        own = f"{value}.{quoted(field.name)}"
        converted = _convert(own, field.type, child)
        same = same and converted == own and field.name == name
        parts.append(f"{quoted(name)} := {converted}")
    return value if same else f"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({', '.join(parts)}) END"
