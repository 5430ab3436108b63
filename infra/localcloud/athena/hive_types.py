"""Hive's column types as trees, and the Arrow types that hold their values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.types import split_top

INTEGER_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_ALIASES = {"integer": "int", "real": "float", "varbinary": "binary"}
_ARROW = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "varchar": pa.string(),
    "char": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "binary": pa.binary(),
}


@dataclass(frozen=True)
class HiveType:
    """A Hive type.

    Attributes:
        text: The type as the catalog writes it.
        name: The type's name without parameters: ``int``, ``decimal``, ``array``, ``map``, ``struct`` and so on.
        numbers: Length of varchar and char; precision and scale of decimal.
        children: Types of the element, of key and value, or of the fields.
        fields: Names of a struct's fields.
    """

    text: str
    name: str
    numbers: tuple[int, ...] = ()
    children: tuple[HiveType, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def nested(self) -> bool:
        """Whether it has children."""
        return bool(self.children)

    def arrow(self) -> pa.DataType:
        """Returns the Arrow type of its values."""
        if self.name == "decimal":
            return pa.decimal128(*self.numbers)
        if self.name == "array":
            return pa.list_(self.children[0].arrow())
        if self.name == "map":
            return pa.map_(self.children[0].arrow(), self.children[1].arrow())
        if self.name == "struct":
            return pa.struct([(name, child.arrow()) for name, child in zip(self.fields, self.children, strict=True)])
        return _ARROW[self.name]


@lru_cache(maxsize=4096)
def hive_type(text: str) -> HiveType:
    """Parses a Hive type.

    Raises:
        QueryError: There is no such type.
    """
    written = text.strip().lower()
    if matched := re.fullmatch(r"(array|map|struct)\s*<(.*)>", written, re.DOTALL):
        parts = split_top(matched[2])
        if matched[1] == "struct":
            pairs = [split_top(part, ":") for part in parts]
            names = tuple(pair[0].strip("`") for pair in pairs)
            return HiveType(written, "struct", children=tuple(hive_type(":".join(p[1:])) for p in pairs), fields=names)
        if len(parts) == (1 if matched[1] == "array" else 2):
            return HiveType(written, matched[1], children=tuple(map(hive_type, parts)))
    plain = re.fullmatch(r"(\w+)\s*(?:\(([\d,\s]*)\))?", written)
    if plain:
        name = _ALIASES.get(plain[1], plain[1])
        numbers = tuple(int(number) for number in (plain[2] or "").split(",") if number.strip())
        if name == "decimal":
            return HiveType(written, name, ((*numbers, 0)[:2] if numbers else (10, 0)))
        if name in _ARROW:
            return HiveType(written, name, numbers)
    raise QueryError(f"HIVE_UNSUPPORTED: the type {text!r} is not one that the local cloud's Athena reads")
