"""Comparisons in conditions and filters.

Values of different types are never ordered, and an absent value equals nothing.
"""

from __future__ import annotations

import base64
import operator
from collections.abc import Callable
from typing import Any

from moto.dynamodb import comparisons as moto

_ORDERED = ("S", "N", "B")


def _typed(operand: Any, item: Any) -> tuple[str | None, Any]:
    """Type and value of an operand; the type of an absent one is None."""
    value = operand.expr(item)
    if isinstance(operand, moto.FuncSize):
        return (None if value is None else "N"), value
    kind = operand.get_type(item)
    # moto keeps a binary as the text of the request or as bytes.
    return kind, base64.b64decode(value) if kind == "B" and isinstance(value, str) else value


def _ordering(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def expr(self: Any, item: Any) -> bool:
        (left_type, left), (right_type, right) = _typed(self.lhs, item), _typed(self.rhs, item)
        return left_type == right_type and left_type in _ORDERED and compare(left, right)

    return expr


def _is_equal(left: Any, right: Any, item: Any) -> bool:
    (left_type, left_value), (right_type, right_value) = _typed(left, item), _typed(right, item)
    return left_type is not None and left_type == right_type and bool(left_value == right_value)


def _equal(self: Any, item: Any) -> bool:
    return _is_equal(self.lhs, self.rhs, item)


def _not_equal(self: Any, item: Any) -> bool:
    return not _is_equal(self.lhs, self.rhs, item)


def _between(self: Any, item: Any) -> bool:
    (kind, value), (low_type, low), (high_type, high) = (
        _typed(operand, item) for operand in (self.attr, self.start, self.end)
    )
    return kind in _ORDERED and kind == low_type == high_type and bool(low <= value <= high)


def _in(self: Any, item: Any) -> bool:
    return any(_is_equal(self.attr, value, item) for value in self.possible_values)


def _size(self: Any, item: Any) -> int | None:
    """The size of the attribute; None, which no comparison matches, if it is absent or of a type without a size."""
    kind, value = _typed(self.attr, item)
    return len(value) if kind in ("S", "SS", "NS", "B", "BS", "L", "M") else None


def replace_comparisons() -> None:
    """Puts these comparisons into moto."""
    replacements: tuple[tuple[Any, Callable[[Any, Any], Any]], ...] = (
        (moto.OpLessThan, _ordering(operator.lt)),
        (moto.OpGreaterThan, _ordering(operator.gt)),
        (moto.OpLessThanOrEqual, _ordering(operator.le)),
        (moto.OpGreaterThanOrEqual, _ordering(operator.ge)),
        (moto.OpEqual, _equal),
        (moto.OpNotEqual, _not_equal),
        (moto.FuncBetween, _between),
        (moto.FuncIn, _in),
        (moto.FuncSize, _size),
    )
    for comparison, expr in replacements:
        comparison.expr = expr
