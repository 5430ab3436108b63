"""Columns of a mapping: each of its entries names a source field, a target field and the target's type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention
from pyspark.sql.types import DataType, StructType, _parse_datatype_string

# Glue's names of types that Spark's parser does not know.
_TYPES = {"long": "bigint", "short": "smallint", "byte": "tinyint", "integer": "int"}
_NESTED = ("array", "struct", "map", "choice", "null")


def split_path(path: str) -> list[str]:
    """The names of a path such as ``a.b`` or ``a.`b.c```; backticks enclose a name with a point."""
    names, quoted = [""], False
    for character in path:
        if character == "`":
            quoted = not quoted
        elif character == "." and not quoted:
            names.append("")
        else:
            names[-1] += character
    return names


def column(names: Sequence[str]) -> Column:
    """The column or nested field with this path."""
    return F.col(".".join(f"`{name}`" for name in names))


def field_type(schema: StructType, names: Sequence[str]) -> DataType | None:
    """The type of a field; None when there is no such field."""
    found: DataType = schema
    for name in names:
        if not isinstance(found, StructType) or name not in found.names:
            return None
        found = found[name].dataType
    return found


def cast(value: Column, present: DataType, wanted: str) -> Column:
    """The value in the wanted type; NULL where it cannot be converted, as in Glue."""
    if wanted.startswith(_NESTED):
        return value
    name = _TYPES.get(wanted.lower(), wanted)
    return value if present == _parse_datatype_string(name) else value.try_cast(name)


def mapped(frame: DataFrame, mappings: Sequence[Sequence[str]]) -> DataFrame:
    """The columns of a mapping.

    Args:
        frame: The source.
        mappings: ``(source, target type)``, ``(source, target, target type)`` or
            ``(source, source type, target, target type)``. A source that does not exist is left out, as in Glue.
    """
    tree: dict[str, Any] = {}
    for entry in mappings:
        source, target, wanted = _parts(entry)
        names = split_path(source)
        present = field_type(frame.schema, names)
        if present is None:
            continue
        *parents, last = split_path(target)
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[last] = cast(column(names), present, wanted)
    return frame.select(*_columns(tree))


def _parts(entry: Sequence[str]) -> tuple[str, str, str]:
    if len(entry) == 2:
        return entry[0], entry[0], entry[1]
    if len(entry) == 3:
        return entry[0], entry[1], entry[2]
    if len(entry) == 4:
        return entry[0], entry[2], entry[3]
    raise ValueError(f"A mapping has two, three or four parts: {entry!r}")


def _columns(tree: dict[str, Any]) -> list[Column]:
    return [
        (F.struct(*_columns(value)) if isinstance(value, dict) else value).alias(name) for name, value in tree.items()
    ]
