"""The Condition element of a statement: operators, IfExists, Null and the set operators."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.localcloud.authorization.context import RequestContext, UnknownKeyError, Values
from infra.localcloud.authorization.patterns import compiled, expand

# Compares the expected value of a policy with the actual one of a request.
Compare = Callable[[str, str, RequestContext], bool]


def _equals(expected: str, actual: str, context: RequestContext) -> bool:
    return _substituted(expected, context) == actual


def _equals_ignoring_case(expected: str, actual: str, context: RequestContext) -> bool:
    value = _substituted(expected, context)
    return value is not None and value.lower() == actual.lower()


def _substituted(expected: str, context: RequestContext) -> str | None:
    """The expected text with its variables replaced; wildcards are text here."""
    if "${" not in expected:
        return expected
    text: list[str] = []
    rest = expected
    while "${" in rest:
        before, _, rest = rest.partition("${")
        name, _, rest = rest.partition("}")
        name, comma, default = (part.strip() for part in name.partition(","))
        value = name if name in ("*", "?", "$") else context.variable(name)
        value = default.strip("'") if value is None and comma else value
        if value is None:
            return None
        text += [before, value]
    return "".join([*text, rest])


def _like(expected: str, actual: str, context: RequestContext) -> bool:
    if "${" not in expected:
        return compiled("text", expected).fullmatch(actual) is not None
    pattern = expand(expected, context.variable)
    return pattern is not None and pattern.fullmatch(actual) is not None


def _arn(expected: str, actual: str, context: RequestContext) -> bool:
    if "${" in expected:
        return _like(expected, actual, context)
    return compiled("arn", expected).fullmatch(actual) is not None


def _boolean(expected: str, actual: str, context: RequestContext) -> bool:
    return expected.lower() == actual.lower()


def _binary(expected: str, actual: str, context: RequestContext) -> bool:
    try:
        return base64.b64decode(expected) == base64.b64decode(actual)
    except (binascii.Error, ValueError):
        return False


def _ordered(parse: Callable[[str], Any], test: Callable[[Any, Any], bool]) -> Compare:
    def compare(expected: str, actual: str, context: RequestContext) -> bool:
        try:
            return test(parse(actual), parse(expected))
        except (ValueError, OverflowError):
            return False

    return compare


def _instant(text: str) -> datetime:
    """An ISO 8601 time, or seconds since 1970."""
    if text.replace(".", "", 1).isdigit() and "-" not in text:
        return datetime.fromtimestamp(float(text), UTC)
    value = datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _address(expected: str, actual: str, context: RequestContext) -> bool:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(expected, strict=False)
    except ValueError:
        return False


def _comparisons(prefix: str, parse: Callable[[str], Any]) -> dict[str, tuple[Compare, bool]]:
    return {
        f"{prefix}Equals": (_ordered(parse, lambda actual, expected: actual == expected), False),
        f"{prefix}NotEquals": (_ordered(parse, lambda actual, expected: actual == expected), True),
        f"{prefix}LessThan": (_ordered(parse, lambda actual, expected: actual < expected), False),
        f"{prefix}LessThanEquals": (_ordered(parse, lambda actual, expected: actual <= expected), False),
        f"{prefix}GreaterThan": (_ordered(parse, lambda actual, expected: actual > expected), False),
        f"{prefix}GreaterThanEquals": (_ordered(parse, lambda actual, expected: actual >= expected), False),
    }


# The comparison of each operator, and whether the operator negates it. Names are compared in lower case.
OPERATORS: dict[str, tuple[Compare, bool]] = {
    name.lower(): entry
    for name, entry in {
        "StringEquals": (_equals, False),
        "StringNotEquals": (_equals, True),
        "StringEqualsIgnoreCase": (_equals_ignoring_case, False),
        "StringNotEqualsIgnoreCase": (_equals_ignoring_case, True),
        "StringLike": (_like, False),
        "StringNotLike": (_like, True),
        "ArnEquals": (_arn, False),
        "ArnLike": (_arn, False),
        "ArnNotEquals": (_arn, True),
        "ArnNotLike": (_arn, True),
        "Bool": (_boolean, False),
        "BinaryEquals": (_binary, False),
        "IpAddress": (_address, False),
        "NotIpAddress": (_address, True),
        **_comparisons("Numeric", float),
        **_comparisons("Date", _instant),
    }.items()
}


@dataclass(frozen=True)
class Condition:
    """One operator with one key: ``{"StringLike": {"s3:prefix": ["a/*"]}}``.

    Attributes:
        operator: As written in the policy.
        key: The condition key.
        expected: The values of the policy, as text.
    """

    operator: str
    key: str
    expected: tuple[str, ...]

    def satisfied(self, context: RequestContext) -> bool:
        """Whether the request satisfies the condition.

        Raises:
            UnknownKeyError: The local cloud cannot evaluate the operator or the key.
        """
        quantifier, _, name = self.operator.rpartition(":")
        quantifier, name = quantifier.lower(), name.lower()
        if name == "null":
            return any(_boolean(value, str(context.get(self.key) is None), context) for value in self.expected)
        optional = name.endswith("ifexists")
        entry = OPERATORS.get(name.removesuffix("ifexists"))
        if entry is None or quantifier not in ("", "forallvalues", "foranyvalue"):
            raise UnknownKeyError(f"the condition operator {self.operator}")
        compare, negated = entry
        actual = context.get(self.key)
        if actual is None:
            return optional or quantifier == "forallvalues" or (negated and quantifier != "foranyvalue")

        def matches(value: str) -> bool:
            return any(compare(expected, value, context) for expected in self.expected) != negated

        return _quantified(quantifier, negated, actual, matches)


def _quantified(quantifier: str, negated: bool, actual: Values, matches: Callable[[str], bool]) -> bool:
    results: Iterable[bool] = (matches(value) for value in actual)
    if quantifier == "forallvalues" or (negated and not quantifier):
        return all(results)
    return any(results)


def parse(element: Any) -> tuple[Condition, ...]:
    """Reads a Condition element."""
    conditions = []
    for operator, keys in (element or {}).items():
        for key, expected in keys.items():
            values = expected if isinstance(expected, list) else [expected]
            conditions.append(Condition(operator, key, tuple(_text(value) for value in values)))
    return tuple(conditions)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
