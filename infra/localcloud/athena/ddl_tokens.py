"""Reads Hive's statements token by token: words, names in backticks, strings in single or double quotes, signs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.hive_types import hive_type

_TOKEN = re.compile(
    r"""\s+ | --[^\n]* | /\*.*?\*/
    | (?P<string>(?:'(?:[^'\\]|\\.)*')+ | (?:"(?:[^"\\]|\\.)*")+)
    | (?P<name>`(?:[^`]|``)*`)
    | (?P<word>[A-Za-z0-9_$][\w$]*)
    | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|[0-7]{3}|.)", re.DOTALL)
_STRING = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_LETTERS = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "0": "\0", "Z": "\x1a"}


@dataclass(frozen=True)
class Token:
    """A token.

    Attributes:
        kind: ``word``, ``name``, ``string``, ``sign`` or ``end``.
        text: Its text in the statement.
        start: Where it starts.
    """

    kind: str
    text: str
    start: int

    @property
    def value(self) -> str:
        """A string without quotes and escapes, or a name without backticks."""
        if self.kind == "string":
            parts = _STRING.findall(self.text)  # strings without a blank between them are one
            return "".join(_ESCAPE.sub(_unescaped, part[1:-1]) for part in parts)
        return self.text[1:-1].replace("``", "`") if self.kind == "name" else self.text


def _unescaped(found: re.Match[str]) -> str:
    text = found[1]
    if text[0] == "u" and len(text) == 5:
        return chr(int(text[1:], 16))
    if len(text) == 3 and text.isdigit():
        return chr(int(text, 8))
    return _LETTERS.get(text, text)


class Tokens:
    """The tokens of a statement, from the left."""

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._tokens = [
            Token(found.lastgroup, found[0], found.start()) for found in _TOKEN.finditer(sql) if found.lastgroup
        ]
        self._index = 0

    def peek(self, ahead: int = 0) -> Token:
        """Returns a token without taking it; one of the kind ``end`` behind the last."""
        index = self._index + ahead
        return self._tokens[index] if index < len(self._tokens) else Token("end", "<EOF>", len(self._sql))

    def take(self) -> Token:
        """Takes a token."""
        token = self.peek()
        self._index += 1
        return token

    def words(self, *words: str) -> bool:
        """Takes the words if they are next."""
        for ahead, word in enumerate(words):
            token = self.peek(ahead)
            if token.kind != "word" or token.text.upper() != word:
                return False
        self._index += len(words)
        return True

    def sign(self, sign: str) -> bool:
        """Takes the sign if it is next."""
        if self.peek().kind != "sign" or self.peek().text != sign:
            return False
        self._index += 1
        return True

    def error(self) -> QueryError:
        """Makes Hive's error about the next token."""
        token = self.peek()
        before = self._sql[: token.start]
        near = " ".join(f"'{self.peek(ahead).text}'" for ahead in range(3) if self.peek(ahead).kind != "end")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)
        return QueryError(
            f"FAILED: ParseException line {line}:{column} cannot recognize input near {near or repr('<EOF>')}"
        )

    def expect(self, *words: str) -> None:
        """Takes words that must be next.

        Raises:
            QueryError: Something else is.
        """
        if not self.words(*words):
            raise self.error()

    def expect_sign(self, sign: str) -> None:
        """Takes a sign that must be next.

        Raises:
            QueryError: Something else is.
        """
        if not self.sign(sign):
            raise self.error()

    def end(self) -> None:
        """Checks that nothing is left.

        Raises:
            QueryError: Something is.
        """
        if self.peek().kind != "end":
            raise self.error()

    def identifier(self) -> str:
        """Takes a name in small letters. Double quotes are no quotes of names in Hive's statements.

        Raises:
            QueryError: Something else is next.
        """
        if self.peek().kind not in ("word", "name"):
            raise self.error()
        return self.take().value.lower()

    def string(self) -> str:
        """Takes a string.

        Raises:
            QueryError: Something else is next.
        """
        if self.peek().kind != "string":
            raise self.error()
        return self.take().value

    def table(self, database: str) -> tuple[str, str]:
        """Takes ``[catalog.][database.]table``.

        Args:
            database: The database of a name without one.

        Raises:
            QueryError: Something else is next, or there is no such catalog.
        """
        parts = [self.identifier()]
        while self.sign("."):
            parts.append(self.identifier())
        if len(parts) == 3 and parts[0] == "awsdatacatalog":
            parts = parts[1:]
        if len(parts) > 2:
            raise QueryError(f"CATALOG_NOT_FOUND: Catalog '{parts[0]}' not found")
        return (parts[0], parts[1]) if len(parts) == 2 else (database, parts[0])

    def properties(self) -> dict[str, str]:
        """Takes ``('name' = 'value', …)``.

        Raises:
            QueryError: Something else is next.
        """
        found: dict[str, str] = {}
        self.expect_sign("(")
        while not self.sign(")"):
            name = self.string()
            self.expect_sign("=")
            found[name] = self.string()
            if not self.sign(",") and self.peek().text != ")":
                raise self.error()
        return found

    def columns(self) -> list[dict[str, str]]:
        """Takes ``(name type [COMMENT 'text'], …)`` as the catalog describes columns.

        Raises:
            QueryError: Something else is next, or there is no such type.
        """
        found: list[dict[str, str]] = []
        self.expect_sign("(")
        while not self.sign(")"):
            column = {"Name": self.identifier(), "Type": self.type()}
            if self.words("COMMENT"):
                column["Comment"] = self.string()
            if column["Name"] in (one["Name"] for one in found):
                raise QueryError(f"FAILED: SemanticException [Error 10036]: Duplicate column name: {column['Name']}")
            found.append(column)
            if not self.sign(",") and self.peek().text != ")":
                raise self.error()
        return found

    def type(self) -> str:
        """Takes a Hive type.

        Raises:
            QueryError: There is no such type.
        """
        written, depth = "", 0
        while self.peek().kind in ("word", "sign", "name"):
            token = self.peek()
            if depth == 0 and (token.text in (",", ")") or (written and token.text.upper() == "COMMENT")):
                break
            depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(token.text, 0)
            written += self.take().value.lower()
        if not written:
            raise self.error()
        hive_type(written)
        return written

    def partition(self) -> dict[str, str]:
        """Takes ``(key = value, …)`` of a PARTITION clause.

        Raises:
            QueryError: Something else is next.
        """
        found: dict[str, str] = {}
        self.expect_sign("(")
        while not self.sign(")"):
            name = self.identifier()
            self.expect_sign("=")
            if self.peek().text.lower() in ("date", "timestamp"):
                self.take()
            minus = "-" if self.sign("-") else ""
            if self.peek().kind not in ("string", "word"):
                raise self.error()
            found[name] = minus + self.take().value
            if not self.sign(",") and self.peek().text != ")":
                raise self.error()
        return found
