"""The rule of a composite alarm: its text, and whether it holds for the states of other alarms.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from infra.localcloud.actions import AwsError

# An alarm's name or ARN is in quotes, unless it has none of the characters that end a word.
_TOKEN = re.compile(r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<mark>[(),])|(?P<word>[^\s(),"]+))""")
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_CONSTANTS = {"TRUE": True, "FALSE": False}
_MOST_ALARMS = 100
_ARN = ":alarm:"


@dataclass(frozen=True)
class Expression:
    """A part of a rule.

    Attributes:
        operator: AND, OR, NOT, TRUE, FALSE, or the state that an alarm must have.
        parts: The operands of AND, OR and NOT.
        alarm: The name of the alarm.
    """

    operator: str
    parts: tuple[Expression, ...] = ()
    alarm: str = ""

    def holds(self, states: Mapping[str, str]) -> bool:
        """Whether it is true for the states of the alarms, by name."""
        if self.operator == "AND":
            return all(part.holds(states) for part in self.parts)
        if self.operator == "OR":
            return any(part.holds(states) for part in self.parts)
        if self.operator == "NOT":
            return not self.parts[0].holds(states)
        if self.operator in _CONSTANTS:
            return _CONSTANTS[self.operator]
        return states.get(self.alarm) == self.operator

    def alarms(self) -> Iterator[str]:
        """The names of the alarms that it refers to."""
        if self.alarm:
            yield self.alarm
        for part in self.parts:
            yield from part.alarms()


@cache
def parse(text: str) -> Expression:
    """Reads a rule. AND goes before OR, NOT before both.

    Raises:
        AwsError: It is not well-formed (ValidationError).
        NotImplementedError: It has a function that is not evaluated.
    """
    reader = _Reader(_tokens(text))
    found = reader.either()
    if reader.next:
        raise _invalid(f"unexpected {reader.next!r}")
    if len(set(found.alarms())) > _MOST_ALARMS:
        raise _invalid(f"it refers to more than {_MOST_ALARMS} alarms")
    return found


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise _invalid(f"unexpected {text[at:].strip()[:20]!r}")
        found.append(match.group().strip())
        at = match.end()
    return found


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> str:
        """The next token; empty at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self.next
        if not token or (wanted and token != wanted):
            raise _invalid(f"{wanted or 'a condition'} is expected in place of {token or 'the end'!r}")
        self._at += 1
        return token

    def either(self) -> Expression:
        """Conditions with OR between them."""
        return self._joined("OR", lambda: self._joined("AND", self._condition))

    def _joined(self, operator: str, operand: Callable[[], Expression]) -> Expression:
        parts = [operand()]
        while self.next.upper() == operator:
            self._take()
            parts.append(operand())
        return Expression(operator, tuple(parts)) if len(parts) > 1 else parts[0]

    def _condition(self) -> Expression:
        token = self._take()
        word = token.upper()
        if word == "NOT":
            return Expression("NOT", (self._condition(),))
        if token == "(":
            found = self.either()
            self._take(")")
            return found
        if word in _CONSTANTS:
            return Expression(word)
        if word == "AT_LEAST":
            raise NotImplementedError("AT_LEAST of a composite alarm's rule is not evaluated; use AND, OR and NOT")
        if word not in _STATES:
            raise _invalid(f"unexpected {token!r}")
        self._take("(")
        name = self._take()
        if name in "(),":
            raise _invalid("the name of an alarm is missing")
        self._take(")")
        return Expression(word, alarm=_name(name))


def _name(token: str) -> str:
    plain = re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token
    return plain.partition(_ARN)[2] if plain.startswith("arn:") else plain


def _invalid(reason: str) -> AwsError:
    return AwsError("ValidationError", f"The alarm rule is not valid: {reason}.")
