"""DynamoDB's numbers: 38 significant digits, a range, and one form for each value."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

from moto.dynamodb.exceptions import IncorrectDataType, MockValidationException
from moto.dynamodb.models.dynamo_type import DynamoType

_DIGITS = 38
_LARGEST, _SMALLEST = 125, -130
_EXACT = Context(prec=_DIGITS, Emin=-1000, Emax=1000, traps=[Inexact, InvalidOperation])
_SETS = ("SS", "NS", "BS")


def canonical(text: str) -> str:
    """The form in which DynamoDB returns a number: without an exponent and without needless zeros.

    Raises:
        MockValidationException: It is not a number, or not one that DynamoDB can hold.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise MockValidationException(f"The parameter cannot be converted to a numeric value: {text}")
    if number == 0:
        return "0"
    if number.adjusted() > _LARGEST:
        raise MockValidationException(
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
        )
    if number.adjusted() < _SMALLEST:
        raise MockValidationException(
            "Number underflow. Attempting to store a number with magnitude smaller than supported range"
        )
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if len(digits) > _DIGITS:
        raise MockValidationException("Attempting to store more than 38 significant digits in a Number")
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain.lstrip("+")


def normalise(value: Any) -> Any:
    """A request's members with every number in its canonical form.

    Raises:
        MockValidationException: A number is not valid, or a set has an element twice.
    """
    if isinstance(value, list):
        return [normalise(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((kind, content),) = value.items()
        if kind == "N" and isinstance(content, str):
            return {kind: canonical(content)}
        if kind in _SETS and isinstance(content, list):
            return {kind: _set(kind, content)}
    return {name: normalise(item) for name, item in value.items()}


def _set(kind: str, content: list[Any]) -> list[Any]:
    elements = [canonical(item) for item in content] if kind == "NS" else content
    if len(set(elements)) != len(elements):
        shown = ", ".join(str(item) for item in content)
        text = f"One or more parameter values were invalid: Input collection [{shown}] contains duplicates."
        raise MockValidationException(text)
    return elements


def replace_arithmetic() -> None:
    """Makes moto add and subtract as DynamoDB does: exactly, to 38 digits."""

    def add(self: DynamoType, other: DynamoType) -> DynamoType:
        return _calculated(self, other, 1)

    def subtract(self: DynamoType, other: DynamoType) -> DynamoType:
        return _calculated(self, other, -1)

    DynamoType.__add__ = add  # type: ignore[method-assign]
    DynamoType.__sub__ = subtract  # type: ignore[method-assign]


def _calculated(left: DynamoType, right: DynamoType, sign: int) -> DynamoType:
    if left.type != "N" or right.type != "N":
        raise IncorrectDataType
    try:
        total = _EXACT.add(Decimal(left.value), sign * Decimal(right.value))
    except Inexact:
        raise MockValidationException("Attempting to store more than 38 significant digits in a Number") from None
    return DynamoType({"N": canonical(str(total))})
