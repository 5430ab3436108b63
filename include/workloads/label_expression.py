"""The check of a label's SQL expression where no SQL parser is installed: its grammar, its columns, that it is boolean.

It reads the scalar expressions of Athena (Trino): operators, predicates, CASE, CAST, literals and function calls. A
function's name and the types of its arguments are left to Athena. Queries and aggregates are no labels of one row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from include.errors import NightjarError
from include.workloads.suggestions import did_you_mean

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    |(?P<text>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")+")|(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign><>|!=|<=|>=|\|\||-(?!-)|/(?!\*)|[+*%(),=<>]))""",
    re.VERBOSE,
)
_COMPARISONS = ("=", "<>", "!=", "<", "<=", ">", ">=")
_LITERAL_TYPES = ("date", "timestamp", "time", "decimal", "interval")
_AGGREGATES = {
    "count", "sum", "avg", "min", "max", "stddev", "variance", "approx_distinct", "array_agg", "bool_and", "bool_or",
    "every",
}  # fmt: skip
_KEYWORDS = {
    "and", "or", "not", "is", "in", "between", "like", "escape", "when", "then", "else", "end", "as", "distinct",
    "from", "select", "exists", "over", "where", "group", "order", "having", "union",
}  # fmt: skip
_CONSTANTS = {"true": "boolean", "false": "boolean", "null": None}
BOOLEAN = "boolean"
# What the result of an operator or literal certainly is, if it is not boolean. A function's is unknown (None).
_Type = str | None


class LabelExpressionError(NightjarError, ValueError):
    """An expression that cannot be a label. The text says what is wrong, and where."""


def _a(found: _Type) -> str:
    return f"an {found}" if found == "integer" else f"a {found}"


class _Token(NamedTuple):
    kind: str
    text: str
    position: int


def check_label_expression(expression: str, columns: Mapping[str, str]) -> None:
    """Checks an expression.

    Args:
        expression: The SQL.
        columns: The columns that it may use, with their types (``FieldSpec.type``).

    Raises:
        LabelExpressionError: It is not SQL, uses another column, or is not boolean.
    """
    found = _Parser(expression, columns).whole()
    if found not in (None, BOOLEAN):
        raise LabelExpressionError(f"is {_a(found)}, but a label is true or false: compare it, as in x > 15")


def _tokens(expression: str) -> list[_Token]:
    tokens, position = [], 0
    while expression[position:].strip():
        match = _TOKEN.match(expression, position)
        if match is None:
            at = len(expression) - len(expression[position:].lstrip())
            raise LabelExpressionError(f"{expression[at]!r} (character {at + 1}) is not part of an SQL expression here")
        tokens.append(_Token(str(match.lastgroup), match[str(match.lastgroup)], match.start(str(match.lastgroup))))
        position = match.end()
    return [*tokens, _Token("end", "", len(expression))]


class _Parser:
    """Recursive descent. Each method reads one part and returns its type, or None where only Athena knows it."""

    def __init__(self, expression: str, columns: Mapping[str, str]) -> None:
        self._columns = columns
        self._tokens = _tokens(expression)
        self._next = 0

    def whole(self) -> _Type:
        found = self._or()
        if self._token.kind != "end":
            raise self._unexpected()
        return found

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _advance(self) -> _Token:
        token = self._token
        self._next += 1
        return token

    def _is(self, *texts: str) -> bool:
        return self._token.kind in ("word", "sign") and self._token.text.lower() in texts

    def _accept(self, *texts: str) -> bool:
        if self._is(*texts):
            self._next += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._unexpected(f"{text.upper()} is expected")

    def _unexpected(self, expected: str = "") -> LabelExpressionError:
        token = self._token
        what = f"{token.text} (character {token.position + 1}) is out of place" if token.text else "it ends too early"
        return LabelExpressionError(f"is not an SQL expression: {what}{': ' if expected else ''}{expected}")

    def _or(self) -> _Type:
        return self._joined("or", self._and)

    def _and(self) -> _Type:
        return self._joined("and", self._not)

    def _joined(self, word: str, part: Callable[[], _Type]) -> _Type:
        found = part()
        while self._is(word):
            self._must_be_boolean(found, word)
            self._advance()
            self._must_be_boolean(part(), word)
            found = BOOLEAN
        return found

    def _must_be_boolean(self, found: _Type, word: str) -> None:
        if found not in (None, BOOLEAN):
            raise LabelExpressionError(
                f"joins {_a(found)} with {word.upper()}, which needs true or false on both sides"
            )

    def _not(self) -> _Type:
        if not self._accept("not"):
            return self._predicate()
        self._must_be_boolean(self._not(), "not")
        return BOOLEAN

    def _predicate(self) -> _Type:
        found = self._sum()
        while True:
            if self._accept(*_COMPARISONS):
                self._sum()
            elif self._accept("is"):
                self._accept("not")
                if self._accept("distinct"):
                    self._expect("from")
                    self._sum()
                else:
                    self._expect("null")
            elif self._is("not", "in", "between", "like"):
                self._accept("not")
                self._set_range_or_pattern()
            else:
                return found
            found = BOOLEAN

    def _set_range_or_pattern(self) -> None:
        if self._accept("in"):
            self._expect("(")
            self._list()
        elif self._accept("between"):
            self._sum()
            self._expect("and")
            self._sum()
        else:
            self._expect("like")
            self._sum()
            if self._accept("escape"):
                self._sum()

    def _list(self) -> None:
        """The rest of a list in parentheses that is not empty."""
        self._or()
        while self._accept(","):
            self._or()
        self._expect(")")

    def _sum(self) -> _Type:
        found = self._factor()
        while self._is("+", "-", "*", "/", "%", "||"):
            found = "string" if self._advance().text == "||" else "number"
            self._factor()
        return found

    def _factor(self) -> _Type:
        if self._accept("-", "+"):
            self._factor()
            return "number"
        if self._accept("("):
            found = self._or()
            self._expect(")")
            return found
        token = self._token
        if token.kind in ("number", "text"):
            self._advance()
            return "number" if token.kind == "number" else "string"
        if token.kind == "quoted":
            self._advance()
            return self._column(token.text[1:-1].replace('""', '"'))
        if token.kind != "word":
            raise self._unexpected()
        return self._word()

    def _word(self) -> _Type:
        token = self._advance()
        word = token.text.lower()
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        if word == "case":
            return self._case()
        if word in ("cast", "try_cast"):
            return self._cast()
        if word in _KEYWORDS:
            self._next -= 1
            raise self._unexpected("a label is computed from one row" if word in ("select", "exists") else "")
        if word in _LITERAL_TYPES and self._token.kind == "text":
            return self._typed_literal(word)
        if self._accept("("):
            self._call(word)
            return None
        return self._column(word)

    def _typed_literal(self, word: str) -> _Type:
        self._advance()
        if word == "interval":
            self._advance()  # its unit
        return "number" if word == "decimal" else "timestamp"

    def _call(self, function: str) -> None:
        if function in _AGGREGATES:
            raise LabelExpressionError(f"{function}() needs many rows, but a label is computed from one")
        if not self._accept(")"):
            self._list()

    def _case(self) -> _Type:
        if not self._is("when"):
            self._or()
        found: list[_Type] = []
        while self._accept("when"):
            self._or()
            self._expect("then")
            found.append(self._or())
        if not found:
            raise self._unexpected("WHEN is expected")
        if self._accept("else"):
            found.append(self._or())
        self._expect("end")
        return found[0] if len(set(found)) == 1 else None

    def _cast(self) -> _Type:
        self._expect("(")
        self._or()
        self._expect("as")
        if self._token.kind != "word":
            raise self._unexpected("a type is expected")
        name = self._advance().text.lower()
        if self._accept("("):
            self._list()
        self._expect(")")
        return BOOLEAN if name == "boolean" else None

    def _column(self, name: str) -> _Type:
        if name.lower() not in self._columns:
            known = did_you_mean(name.lower(), self._columns) or f"; it may use {', '.join(self._columns)}"
            raise LabelExpressionError(f"{name} is no column of the label event{known}")
        return self._columns[name.lower()]
