"""Rows of delimited text: LazySimpleSerDe and OpenCSVSerDe."""

from __future__ import annotations

import bz2
import gzip
import io
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.hive_types import HiveType, hive_type
from infra.localcloud.athena.text_values import EPOCH, PARSERS

Row = list[Any]
# Makes the values of a line.
Reader = Callable[[str], Row]
_WORDS = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}


@dataclass(frozen=True)
class TextTable:
    """What a reader of text must know of a table.

    Attributes:
        columns: The columns in the files: name and Hive type.
        serde: The parameters of the SerDe.
        parameters: The parameters of the table.
    """

    columns: list[tuple[str, str]]
    serde: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def types(self) -> list[HiveType]:
        """The columns' types."""
        return [hive_type(hive) for _, hive in self.columns]

    def flag(self, name: str) -> bool:
        """Whether a parameter of the SerDe or the table is TRUE."""
        return str(self.serde.get(name, self.parameters.get(name, ""))).strip().lower() == "true"

    def count(self, name: str) -> int:
        """A parameter of the table that is a number of lines; 0 if it is not given.

        Raises:
            QueryError: It is no number.
        """
        value = str(self.parameters.get(name, self.serde.get(name, "0"))).strip()
        if not value.isdigit():
            raise QueryError(f"HIVE_INVALID_METADATA: Invalid value for {name} property: {value}")
        return int(value)


def lines(path: Path, key: str, table: TextTable) -> Iterator[str]:
    """Reads the lines of a file without its header and footer; the key's extension tells its compression.

    Raises:
        UnsupportedError: The compression is not read here.
        QueryError: The file is not compressed as its name says.
    """
    header, footer = table.count("skip.header.line.count"), table.count("skip.footer.line.count")
    held: deque[str] = deque()
    try:
        with _opened(path, key) as body:
            for number, line in enumerate(io.TextIOWrapper(body, encoding="utf-8", errors="replace", newline=None)):
                if number < header:
                    continue
                held.append(line.rstrip("\n"))
                if len(held) > footer:
                    yield held.popleft()
    except (OSError, EOFError, pa.ArrowInvalid) as error:
        raise QueryError(f"HIVE_CURSOR_ERROR: Failed to read file: {key}: {error}") from None


def _opened(path: Path, key: str) -> Any:
    extension = key.rsplit("/", 1)[-1].rpartition(".")[2].lower()
    if extension == "gz":
        return gzip.open(path)
    if extension == "bz2":
        return bz2.open(path)
    if extension in ("zst", "zstd"):
        return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
    if extension in ("snappy", "lz4", "lzo", "deflate"):
        raise UnsupportedError(f"text compressed with {extension}", f"Compress {key} with gzip, bzip2 or zstd.")
    return path.open("rb")


def character(value: str | None, default: str) -> str:
    """Reads a delimiter: a character, an escape of Java, or the number of a character."""
    if not value:
        return default
    if value in _WORDS:
        return _WORDS[value]
    if value.startswith("\\u") and len(value) == 6:
        return chr(int(value.removeprefix("\\u"), 16))
    if value.startswith("\\") and value[1:].isdigit():
        return chr(int(value[1:], 8))
    return chr(int(value)) if value.isdigit() and int(value) < 128 and len(value) > 1 else value


# --- LazySimpleSerDe ----------------------------------------------------------------------------------------------


class LazySimple:
    """Reads lines as LazySimpleSerDe does: missing fields and texts that are no value of their type are null."""

    def __init__(self, table: TextTable) -> None:
        serde = table.serde
        first = serde.get("field.delim") or serde.get("serialization.format")
        self._separators = [
            "\x01" if first == "1" else character(first, "\x01"),
            character(serde.get("collection.delim") or serde.get("colelction.delim"), "\x02"),
            character(serde.get("mapkey.delim"), "\x03"),
            *map(chr, range(4, 9)),
        ]
        self._escape = character(serde.get("escape.delim"), "") if "escape.delim" in serde else ""
        self._null = serde.get("serialization.null.format", "\\N")
        self._types = table.types
        self._rest = table.flag("serialization.last.column.takes.rest")
        if len(self._separators[0]) != 1:
            raise UnsupportedError(f"the delimiter {first!r}", "LazySimpleSerDe has delimiters of one character.")

    def __call__(self, line: str) -> Row:
        """Makes the values of a line."""
        parts = self._split(line, self._separators[0], len(self._types) - 1 if self._rest else -1)
        values = [self._value(part, kind, 1) for part, kind in zip(parts, self._types, strict=False)]
        return values + [None] * (len(self._types) - len(values))

    def _split(self, text: str, separator: str, most: int = -1) -> list[str]:
        if not self._escape or self._escape not in text:
            return text.split(separator, most)
        parts: list[str] = []
        start = index = 0
        while index < len(text):
            if text[index] == separator and len(parts) != most:
                parts.append(text[start:index])
                start = index + 1
            elif text[index] == self._escape:
                index += 1
            index += 1
        return [*parts, text[start:]]

    def _unescaped(self, text: str) -> str:
        if not self._escape or self._escape not in text:
            return text
        written, letters = [], iter(text)
        for letter in letters:
            if letter != self._escape:
                written.append(letter)
            elif (following := next(letters, None)) is not None:
                written.append({"n": "\n", "r": "\r"}.get(following, following))
        return "".join(written)

    def _value(self, text: str, kind: HiveType, depth: int) -> Any:
        if text == self._null:
            return None
        if kind.nested:
            return self._nested(text, kind, depth)
        try:
            return PARSERS[kind.name](self._unescaped(text), kind)
        except ValueError:
            return None

    def _nested(self, text: str, kind: HiveType, depth: int) -> Any:
        parts = self._split(text, self._separators[depth]) if text else []
        if kind.name == "array":
            return [self._value(part, kind.children[0], depth + 1) for part in parts]
        if kind.name == "map":
            found = {}
            for part in parts:
                key, *rest = self._split(part, self._separators[depth + 1], 1)
                name = self._value(key, kind.children[0], depth + 2)
                if name is not None and name not in found:
                    found[name] = self._value(rest[0], kind.children[1], depth + 2) if rest else None
            return list(found.items())
        pairs = zip(kind.fields, kind.children, [*parts, *[self._null] * len(kind.fields)], strict=False)
        return {name: self._value(part, child, depth + 1) for name, child, part in pairs}


# --- OpenCSVSerDe -------------------------------------------------------------------------------------------------


class OpenCsv:
    """Reads lines as OpenCSVSerDe does: missing fields are null, and text that is no value fails the query."""

    def __init__(self, table: TextTable) -> None:
        serde = table.serde
        self._separator = character(serde.get("separatorChar"), ",")
        self._quote = character(serde.get("quoteChar"), '"')
        self._escape = character(serde.get("escapeChar"), "\\")
        self._types = table.types
        self._null = table.flag("use.null.for.invalid.data")
        for kind in self._types:
            if kind.nested or kind.name == "binary":
                raise UnsupportedError(f"a column of type {kind.text} of an OpenCSVSerDe table")

    def __call__(self, line: str) -> Row:
        """Makes the values of a line.

        Raises:
            QueryError: A text is no value of its column's type.
        """
        fields = self._fields(line) if line else []
        values: Row = []
        for number, (field, kind) in enumerate(zip(fields, self._types, strict=False)):
            try:
                values.append(None if field is None else self._value(field, kind))
            except ValueError as error:
                if not self._null:
                    raise QueryError(
                        f"HIVE_BAD_DATA: Error parsing field value '{field}' for field {number}: {error}"
                    ) from None
                values.append(None)
        return values + [None] * (len(self._types) - len(values))

    def _fields(self, line: str) -> list[str | None]:
        if self._quote not in line and self._escape not in line:
            return list(line.split(self._separator))
        fields: list[str | None] = []
        buffer: list[str] = []
        in_quotes = in_field = False
        index = 0
        while index < len(line):
            letter = line[index]
            following = line[index + 1] if index + 1 < len(line) else ""
            if letter == self._escape and letter != self._quote:
                if (in_quotes or in_field) and following in (self._quote, self._escape):
                    buffer.append(following)
                    index += 1
            elif letter == self._quote:
                if (in_quotes or in_field) and following == self._quote:
                    buffer.append(following)
                    index += 1
                else:
                    self._embedded_quote(line, index, buffer)
                    in_quotes = not in_quotes
                in_field = not in_field
            elif letter == self._separator and not in_quotes:
                fields.append("".join(buffer))
                buffer.clear()
                in_field = False
            else:
                buffer.append(letter)
                in_field = True
            index += 1
        return [*fields, None if in_quotes else "".join(buffer)]

    def _embedded_quote(self, line: str, index: int, buffer: list[str]) -> None:
        """A quote between other letters of a field is a letter of it; blanks before an opening quote are dropped."""
        inside = (
            index > 2
            and line[index - 1] != self._separator
            and index + 1 < len(line)
            and line[index + 1] != self._separator
        )
        if inside and buffer and not "".join(buffer).strip():
            buffer.clear()
        elif inside:
            buffer.append(self._quote)

    @staticmethod
    def _value(text: str, kind: HiveType) -> Any:
        # The SerDe reads dates as days and timestamps as milliseconds since 1970.
        if kind.name == "date":
            return date(1970, 1, 1) + timedelta(days=PARSERS["int"](text, hive_type("int")))
        if kind.name == "timestamp":
            return EPOCH + timedelta(milliseconds=PARSERS["bigint"](text, hive_type("bigint")))
        return PARSERS[kind.name](text, kind)
