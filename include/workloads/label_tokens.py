"""The tokens of an SQL expression: numbers, texts, names, words and signs. Neither comments nor several statements."""

from __future__ import annotations

import re
from typing import NamedTuple

from include.errors import NightjarError

_PATTERN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    |(?P<text>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")+")|(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign><>|!=|<=|>=|\|\||-(?!-)|/(?!\*)|[+*%(),=<>]))""",
    re.VERBOSE,
)


class LabelExpressionError(NightjarError, ValueError):
    """An expression that cannot be a label. The text says what is wrong, and where."""


class Token(NamedTuple):
    """A part of an expression. ``kind``: number, text, quoted, word, sign, or end after the last one."""

    kind: str
    text: str
    position: int


def tokenize(expression: str) -> list[Token]:
    """Splits an expression into its tokens.

    Raises:
        LabelExpressionError: A character belongs to none.
    """
    tokens: list[Token] = []
    position = 0
    while expression[position:].strip():
        match = _PATTERN.match(expression, position)
        if match is None:
            at = len(expression) - len(expression[position:].lstrip())
            raise LabelExpressionError(f"{expression[at]!r} (character {at + 1}) is not part of an SQL expression here")
        tokens.append(Token(str(match.lastgroup), match[str(match.lastgroup)], match.start(str(match.lastgroup))))
        position = match.end()
    return [*tokens, Token("end", "", len(expression))]
