"""Reads a metric math expression into a tree. Nothing of it is ever given to Python's own evaluation."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from infra.localcloud.actions import AwsError

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"""|(?P<text>'[^']*'|"[^"]*")|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^()\[\],<>]))"""
)
# Operators by how tightly they bind, the loosest first.
_LEVELS: tuple[dict[str, str], ...] = (
    {"||": "OR", "OR": "OR"},
    {"&&": "AND", "AND": "AND"},
    {sign: sign for sign in ("==", "!=", "<", ">", "<=", ">=")},
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/"},
)
_DEPTH = 50


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Text:
    """A text in quotes."""

    value: str


@dataclass(frozen=True)
class Name:
    """The id of another query, or a word such as REPEAT."""

    value: str


@dataclass(frozen=True)
class Call:
    """A function or an operator (by its sign) with its arguments. Its name is in upper case."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Array:
    """Several values in brackets."""

    items: tuple[Node, ...]


type Node = Number | Text | Name | Call | Array


@cache
def parse(expression: str) -> Node:
    """Reads an expression.

    Raises:
        AwsError: It is not well-formed (ValidationError).
        NotImplementedError: It is a query of Metrics Insights.
    """
    if re.match(r"\s*select\b", expression, re.IGNORECASE):
        raise NotImplementedError("queries of Metrics Insights (SELECT) are not evaluated; use MetricStat")
    return _Parser(expression).whole()


class _Parser:
    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens: list[tuple[str, str]] = []
        position, end = 0, len(expression.rstrip())
        while position < end:
            match = _TOKEN.match(expression, position)
            if match is None:
                raise self._error(f"unexpected {expression[position:].strip()[:10]!r}")
            kind = str(match.lastgroup)
            self._tokens.append((kind, match[kind]))
            position = match.end()
        self._position = self._depth = 0

    def whole(self) -> Node:
        node = self._level(0)
        if self._position < len(self._tokens):
            raise self._error(f"unexpected {self._tokens[self._position][1]!r}")
        return node

    def _level(self, level: int) -> Node:
        """Operators that bind as tightly as those of a level, or tighter; the leftmost first."""
        if level == len(_LEVELS):
            return self._signed()
        node = self._level(level + 1)
        while name := _LEVELS[level].get(self._peek()):
            self._position += 1
            node = Call(name, (node, self._level(level + 1)))
        return node

    def _signed(self) -> Node:
        if self._peek() == "-":
            self._position += 1
            return Call("-", (Number(0.0), self._nested(self._signed)))
        base = self._value()
        if self._peek() == "^":
            self._position += 1
            return Call("^", (base, self._nested(self._signed)))
        return base

    def _value(self) -> Node:
        kind, token = self._next()
        if kind == "number":
            return Number(float(token))
        if kind == "text":
            return Text(token[1:-1])
        if kind == "name":
            if self._peek() != "(":
                return Name(token)
            self._position += 1
            return Call(token.upper(), self._items(")"))
        if token == "(":
            node = self._nested(lambda: self._level(0))
            self._expect(")")
            return node
        if token == "[":
            return Array(self._items("]"))
        raise self._error(f"unexpected {token!r}")

    def _items(self, end: str) -> tuple[Node, ...]:
        items: list[Node] = []
        if self._peek() != end:
            items.append(self._nested(lambda: self._level(0)))
            while self._peek() == ",":
                self._position += 1
                items.append(self._nested(lambda: self._level(0)))
        self._expect(end)
        return tuple(items)

    def _nested(self, read: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > _DEPTH:
            raise self._error(f"more than {_DEPTH} nested parts")
        node = read()
        self._depth -= 1
        return node

    def _peek(self) -> str:
        return self._tokens[self._position][1] if self._position < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._position == len(self._tokens):
            raise self._error("it ends too early")
        self._position += 1
        return self._tokens[self._position - 1]

    def _expect(self, token: str) -> None:
        if self._next()[1] != token:
            raise self._error(f"{token!r} is missing")

    def _error(self, text: str) -> AwsError:
        return AwsError("ValidationError", f"Error in expression '{self._expression}': {text}")
