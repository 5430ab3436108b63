"""The schema of a field, and the check of a record against the schemas of its fields.

Pure Python: Glue and the service clean records with the same code.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from include.lake.instants import format_instant, parse_instant, to_millisecond
from include.workloads.strict import StrictModel

NAME = r"^[a-z][a-z0-9_]{0,62}$"
Name = Annotated[str, StringConstraints(pattern=NAME)]
# Above this, a double has no thousandths, and the data set's digest (include.sql) would overflow.
LARGEST_NUMBER = 1e15
_Plain = tuple[tuple[type, ...], float, float, Callable[[Any], Any]]
_BLANKS = re.compile(r"\s+")


class FieldSpec(StrictModel):
    """One field of an event, a table's row or a request."""

    type: Literal["string", "integer", "number", "boolean", "timestamp"]
    nullable: bool = Field(False, description="null, or absent, is allowed")
    min: float | None = Field(None, description="smallest value allowed (integer, number)")
    max: float | None = Field(None, description="largest value allowed (integer, number)")
    enum: tuple[str | int | float, ...] | None = Field(None, min_length=1, description="the only values allowed")
    normalize: bool = Field(
        True, description="strings: NFC, trimmed, each run of white space made one space; false keeps them as sent"
    )
    description: str = ""
    example: str | int | float | bool | None = None

    @model_validator(mode="after")
    def _consistent(self) -> FieldSpec:
        if self.type not in ("integer", "number") and (self.min is not None or self.max is not None):
            raise ValueError(f"min and max are for integer and number, not for {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        if self.enum is not None and self.type not in ("string", "integer", "number"):
            raise ValueError(f"enum is for string, integer and number, not for {self.type}")
        for value in self.enum or ():
            if problem := self.model_copy(update={"enum": None}).check(value)[1]:
                raise ValueError(f"enum value {value!r} {problem}")
        if self.example is not None and (problem := self.check(self.example)[1]):
            raise ValueError(f"example {self.example!r} {problem}")
        return self

    @cached_property
    def plain(self) -> _Plain:
        """Types, bounds and conversion of the values that need no other check. Most numbers are such."""
        types, convert = _PLAIN[self.type] if self.enum is None else _NOT_PLAIN
        low, high = math.nextafter(-LARGEST_NUMBER, 0), math.nextafter(LARGEST_NUMBER, 0)
        low = low if self.min is None else max(low, self.min)
        high = high if self.max is None else min(high, self.max)
        return types, low, high, convert

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> FieldSpec:
        """Copies the field; the copy may have other bounds."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("plain", None)
        return copied

    def check(self, value: Any) -> tuple[Any, str | None]:
        """Checks one value.

        Returns:
            The clean value and None, or None and what is wrong. The text contains no data, so that equal problems can
            be counted.
        """
        if value is None:
            return (None, None) if self.nullable else (None, "is missing")
        clean, problem = _CHECKS[self.type](value, self)
        if problem is None and self.enum is not None and clean not in self.enum:
            return None, "is not one of the allowed values"
        return (clean, None) if problem is None else (None, problem)


Fields = dict[Name, FieldSpec]


def check_record(fields: Mapping[str, FieldSpec], record: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Checks and cleans a record.

    Timestamps become the fixed-width text of :mod:`include.lake.instants`, cut to the millisecond. Fields that the
    schema does not have are left out: a producer may add a field before its consumers know it.

    Returns:
        The record with exactly ``fields``, where a wrong value is None, and the problems
        ("distance: is below the minimum 0").
    """
    clean, problems = {}, []
    for name, spec in fields.items():
        value: Any = record.get(name)
        types, low, high, convert = spec.plain
        if type(value) in types and low <= value <= high:
            clean[name] = convert(value)
            continue
        clean[name], problem = spec.check(value)
        if problem:
            problems.append(f"{name}: {problem}")
    return clean, problems


def normalize_text(text: str) -> str:
    """Returns the text in NFC, trimmed, with each run of white space made one space."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", text)).strip()


def _string(value: Any, spec: FieldSpec) -> tuple[Any, str | None]:
    if not isinstance(value, str):
        return None, "is not a string"
    if value.isascii():  # is in NFC, and valid
        return (" ".join(value.split()) if spec.normalize else value), None
    try:
        value.encode()
    except UnicodeEncodeError:
        return None, "is not valid Unicode text"
    return (normalize_text(value) if spec.normalize else value), None


def _integer(value: Any, spec: FieldSpec) -> tuple[Any, str | None]:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None, "is not an integer"
    return _in_range(value, spec)


def _number(value: Any, spec: FieldSpec) -> tuple[Any, str | None]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, "is not a number"
    if isinstance(value, float) and not math.isfinite(value):
        return None, "is not a finite number"
    clean, problem = _in_range(value, spec)
    return (None, problem) if problem else (float(clean), None)


def _in_range(value: float, spec: FieldSpec) -> tuple[Any, str | None]:
    if abs(value) >= LARGEST_NUMBER:
        return None, f"is larger than {LARGEST_NUMBER:g}"
    if spec.min is not None and value < spec.min:
        return None, f"is below the minimum {spec.min:g}"
    if spec.max is not None and value > spec.max:
        return None, f"is above the maximum {spec.max:g}"
    return value, None


def _boolean(value: Any, spec: FieldSpec) -> tuple[Any, str | None]:
    return (value, None) if isinstance(value, bool) else (None, "is not true or false")


def _timestamp(value: Any, spec: FieldSpec) -> tuple[Any, str | None]:
    try:
        return format_instant(to_millisecond(parse_instant(value))), None
    except ValueError:
        return None, "is not an ISO 8601 time with an offset"


_NOT_PLAIN: tuple[tuple[type, ...], Callable[[Any], Any]] = ((), float)
_PLAIN = dict.fromkeys(("string", "boolean", "timestamp"), _NOT_PLAIN)
_PLAIN |= {"integer": ((int,), int), "number": ((int, float), float)}
_CHECKS = {"string": _string, "integer": _integer, "number": _number, "boolean": _boolean, "timestamp": _timestamp}
