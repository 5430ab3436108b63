"""Rows of JSON lines: Hive's JSON SerDe and the OpenX JSON SerDe.

The OpenX SerDe reads any text in quotes as the value it spells, maps keys by ``mapping.…`` and ``dots.in.keys``, and
fails for a key that occurs twice. Hive's SerDe requires values of JSON's own types.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.hive_types import INTEGER_BITS, HiveType
from infra.localcloud.athena.text_files import Row, TextTable
from infra.localcloud.athena.text_values import EPOCH, PARSERS

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?")
_ZONE = re.compile(r"(?:Z|[+-]\d{2}:?\d{2})$")


class _Number(str):
    """A number with the text that the file has."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """A JSON object with all its keys in order, also those that occur twice."""


class UnfitValueError(ValueError):
    """A JSON value has another shape than the column's type."""


class _DuplicateKeyError(ValueError):
    """A key occurs twice where the SerDe forbids it."""


def _parsed(line: str) -> Any:
    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(
        line,
        object_pairs_hook=Pairs,
        parse_int=_Number,
        parse_float=_Number,
        parse_constant=refuse,
        strict=False,
    )


def canonical(value: Any) -> str:
    """Writes a JSON value without blanks; a number keeps its text."""
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{canonical(item)}" for key, item in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return str(value) if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)


def _text(value: Any) -> str:
    """The text of a scalar."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


class _JsonReader(ABC):
    """What both SerDes share: lines, malformed lines, and the choice of a reader for each type."""

    def __init__(self, table: TextTable) -> None:
        self._names = [name.lower() for name, _ in table.columns]
        self._types = table.types
        self._ignore = table.flag("ignore.malformed.json")
        if table.serde.get("timestamp.formats"):
            raise UnsupportedError("the SerDe property timestamp.formats")

    def __call__(self, line: str) -> Row:
        """Makes the values of a line.

        Raises:
            QueryError: The line is no JSON object, or a value is not of its column's type.
        """
        try:
            parsed = self._object(line)
        except ValueError as error:
            if self._ignore and not isinstance(error, _DuplicateKeyError):
                return [None] * len(self._names)
            raise QueryError(f"HIVE_CURSOR_ERROR: Row is not a valid JSON Object - JSONException: {error}") from None
        if parsed is None:
            return [None] * len(self._names)
        values: Row = []
        for number, (name, kind) in enumerate(zip(self._names, self._types, strict=True)):
            found = parsed.get(name)
            try:
                values.append(None if found is None else self.value(found, kind))
            except (ValueError, OverflowError) as error:
                shown = canonical(found) if isinstance(found, list) else _text(found)
                raise QueryError(
                    f"HIVE_BAD_DATA: Error parsing field value '{shown}' for field {number}: {error}"
                ) from None
        return values

    @abstractmethod
    def _object(self, line: str) -> dict[str, Any] | None:
        """Parses a line; None where it is null."""

    @abstractmethod
    def value(self, found: Any, kind: HiveType) -> Any:
        """Reads a JSON value other than null as the type.

        Raises:
            ValueError: It is not one.
        """


class HiveJson(_JsonReader):
    """Reads lines as Hive's JSON SerDe does: keys whatever their case, the last one of equal keys, strict types."""

    def _object(self, line: str) -> dict[str, Any]:
        parsed = _parsed(line)
        if not isinstance(parsed, Pairs):
            raise UnfitValueError("Start of object expected")
        return {key.lower(): value for key, value in parsed}

    def value(self, found: Any, kind: HiveType) -> Any:
        """Reads a JSON value other than null as the type."""
        if kind.nested:
            return self._nested(found, kind)
        if isinstance(found, list):
            raise UnfitValueError(f"Invalid JSON: {kind.text} value must be a scalar json value")
        if kind.name in INTEGER_BITS or kind.name in ("float", "double"):
            if not isinstance(found, _Number):
                raise ValueError(f"Current token ({_text(found)}) not numeric")
            return PARSERS[kind.name](found, kind)
        if kind.name == "boolean":
            return _text(found).lower() == "true"
        return PARSERS[kind.name](_text(found), kind) if kind.name != "binary" else _text(found).encode()

    def _nested(self, found: Any, kind: HiveType) -> Any:
        if kind.name == "array":
            if isinstance(found, Pairs) or not isinstance(found, list):
                raise UnfitValueError("Invalid JSON: start of array expected")
            return [None if item is None else self.value(item, kind.children[0]) for item in found]
        if not isinstance(found, Pairs):
            raise UnfitValueError("Invalid JSON: start of object expected")
        if kind.name == "map":
            return _entries(found, kind, self.value)
        there = {key.lower(): item for key, item in found}
        return {
            name: None if there.get(name) is None else self.value(there[name], child)
            for name, child in zip(kind.fields, kind.children, strict=True)
        }


class OpenXJson(_JsonReader):
    """Reads lines as the OpenX JSON SerDe does."""

    def __init__(self, table: TextTable) -> None:
        super().__init__(table)
        self._insensitive = str(table.serde.get("case.insensitive", "true")).strip().lower() != "false"
        self._dots = any(table.flag(name) for name in ("dots.in.keys", "dots_in_keys"))
        self._mapped = {
            name.removeprefix("mapping.").lower(): self._cased(key)
            for name, key in table.serde.items()
            if name.startswith("mapping.")
        }

    def _cased(self, key: str) -> str:
        return key.lower() if self._insensitive else key

    def _object(self, line: str) -> dict[str, Any] | None:
        if not line.strip():
            return None
        if not line.lstrip().startswith("{"):
            raise ValueError("A JSONObject text must begin with '{' at 1 [character 2 line 1]")
        try:
            return self._keyed(_parsed(line))
        except json.JSONDecodeError as error:
            raise ValueError(f"{error.msg} at {error.pos} [character {error.colno} line {error.lineno}]") from None

    def _keyed(self, pairs: Pairs) -> dict[str, Any]:
        """The values by the name of their column or field."""
        there: dict[str, Any] = {}
        for key, value in pairs:
            if self._cased(key) in there:
                raise _DuplicateKeyError(f'Duplicate key "{self._cased(key)}"')
            there[self._cased(key)] = value
        if self._dots:
            for key in list(there):
                there.setdefault(key.replace(".", "_"), there[key])
        for name, key in self._mapped.items():
            if key in there:
                there[name] = there[key]
        return there

    def value(self, found: Any, kind: HiveType) -> Any:
        """Reads a JSON value other than null as the type."""
        if kind.nested:
            return self._nested(found, kind)
        if kind.name in ("string", "varchar", "char"):
            return PARSERS[kind.name](found if type(found) is str else canonical(found), kind)
        if kind.name == "boolean":
            return not isinstance(found, list) and _text(found).lower() == "true"
        if isinstance(found, list):
            shape = "Map" if isinstance(found, Pairs) else "List"
            raise UnfitValueError(f"{shape} can not be coerced to {kind.text.upper()}")
        return _OPENX.get(kind.name, lambda text, wanted: PARSERS[wanted.name](text, wanted))(_text(found), kind)

    def _nested(self, found: Any, kind: HiveType) -> Any:
        blank = isinstance(found, str) and not found.strip()
        if kind.name == "array":
            if blank:
                return None
            items = found if isinstance(found, list) and not isinstance(found, Pairs) else [found]
            return [None if item is None else self.value(item, kind.children[0]) for item in items]
        if blank:
            return None if kind.name == "map" else dict.fromkeys(kind.fields)
        if not isinstance(found, Pairs):
            raise UnfitValueError(f"{type(found).__name__} can not be coerced to {kind.name}")
        if kind.name == "map":
            return _entries(found, kind, self.value)
        there = self._keyed(found)
        return {
            name: None if there.get(name) is None else self.value(there[name], child)
            for name, child in zip(kind.fields, kind.children, strict=True)
        }


def _entries(pairs: Pairs, kind: HiveType, read: Callable[[Any, HiveType], Any]) -> list[tuple[Any, Any]]:
    key_type, value_type = kind.children
    found = {}
    for key, item in pairs:
        found[PARSERS[key_type.name](key, key_type)] = None if item is None else read(item, value_type)
    return list(found.items())


def _openx_date(text: str, kind: HiveType) -> date:
    if _NUMBER.fullmatch(text):
        return date(1970, 1, 1) + timedelta(days=int(text))
    found: date = PARSERS["date"](text, kind)
    return found


def _openx_timestamp(text: str, kind: HiveType) -> datetime:
    """ISO 8601 with or without a zone, ``YYYY-MM-DD HH:MM:SS.fff``, or seconds or milliseconds since 1970."""
    if _NUMBER.fullmatch(text):
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ValueError(f"{text} is not a timestamp") from None
        return EPOCH + timedelta(milliseconds=int(number if len(text) >= 13 and "." not in text else number * 1000))
    if _ZONE.search(text):
        zoned = datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
        text = zoned.isoformat(sep=" ", timespec="microseconds")
    found: datetime = PARSERS["timestamp"](text.replace("T", " "), kind)
    return found


def _openx_binary(text: str, kind: HiveType) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


_OPENX: dict[str, Callable[[str, HiveType], Any]] = {
    "date": _openx_date,
    "timestamp": _openx_timestamp,
    "binary": _openx_binary,
}
