"""Checks values against the shapes of AWS's models. Each shape is read once, because botocore's are slow to ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import regex

_SHOWN_VALUE = 200
_NUMBERS = (int, float)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "character": (str,),
    "blob": (bytes, str),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": _NUMBERS,
    "double": _NUMBERS,
    "timestamp": (datetime, str, *_NUMBERS),
}
# The models of these protocols list constraints that the services do not enforce.
_LOOSE = ("ec2", "rest-xml")
_NESTED = ("structure", "list", "map")
# Java's way to write all characters beyond the first plane.
_SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"
_SHAPES: dict[tuple[str, str], Shape] = {}


type Path = tuple[str, ...]


class WrongTypeError(ValueError):
    """A value is not of the type that AWS's model has."""


@dataclass(frozen=True)
class Failure:
    """A constraint that a value breaks.

    Attributes:
        member: The path of the value's member.
        value: The value; None for a member that is missing.
        constraint: The constraint, in AWS's words.
        secret: The value is not to be shown.
    """

    member: str
    value: Any
    constraint: str
    secret: bool = False

    def text(self) -> str:
        """The failure in AWS's words."""
        shown = "null" if self.value is None else f"'{'***' if self.secret else str(self.value)[:_SHOWN_VALUE]}'"
        path = ".".join(part[:1].lower() + part[1:] for part in self.member.split("."))
        return f"Value {shown} at '{path}' failed to satisfy constraint: {self.constraint}"


@dataclass
class Shape:
    """What is needed of a botocore shape to check a value of it.

    Attributes:
        kind: botocore's name of the type.
        types: Python's types of a value.
        is_free: Any value is valid.
        required: The names of the members that a structure must have.
        members: A structure's members, by name and by name on the wire.
        member: The shape of a list's items, or of a map's values.
        key: The shape of a map's keys.
        lowest, highest: Bounds of a number, or of a length.
        names: The values of an enumeration.
        pattern: What a text must match as a whole, and that pattern in AWS's words.
        is_constrained: There is a bound, an enumeration or a pattern.
        secret: Values are not to be shown.
    """

    kind: str
    types: tuple[type, ...]
    is_free: bool = False
    required: tuple[str, ...] = ()
    members: dict[str, Shape] = field(default_factory=dict)
    member: Shape | None = None
    key: Shape | None = None
    lowest: float | None = None
    highest: float | None = None
    names: tuple[str, ...] = ()
    pattern: tuple[regex.Pattern[str], str] | None = None
    is_constrained: bool = False
    secret: bool = False

    def check(self, value: Any, path: Path, failures: list[Failure]) -> None:
        """Adds the constraints that a value breaks to ``failures``.

        Raises:
            WrongTypeError: The value or one in it is of another type.
        """
        if self.is_free or value is None:
            return
        if not isinstance(value, self.types):
            raise WrongTypeError(f"The value of {_dotted(path)} cannot be converted to {self.kind}")
        if self.is_constrained and not self._fits(value):
            failures.extend(Failure(_dotted(path), value, text, self.secret) for text in self._broken(value))
        if self.kind in _NESTED:
            self._check_within(value, path, failures)

    def _check_within(self, value: Any, path: Path, failures: list[Failure]) -> None:
        if self.kind == "structure":
            missing = [name for name in self.required if value.get(name) is None]
            failures.extend(Failure(_dotted((*path, name)), None, "Member must not be null") for name in missing)
            for name, item in value.items():
                member = self.members.get(name)
                if member is not None:
                    member.check(item, (*path, name), failures)
        elif self.kind == "list" and self.member is not None:
            for number, item in enumerate(value, 1):
                self.member.check(item, (*path, str(number), "member"), failures)
        elif self.key is not None and self.member is not None:
            for name, item in value.items():
                self.key.check(name, (*path, "key"), failures)
                self.member.check(item, (*path, name, "member"), failures)

    def _fits(self, value: Any) -> bool:
        """Whether a value breaks no constraint, without saying which."""
        size = value if isinstance(value, _NUMBERS) else self._length(value)
        if (self.lowest is not None and size < self.lowest) or (self.highest is not None and size > self.highest):
            return False
        return not self.names and self.pattern is None

    def _broken(self, value: Any) -> Iterator[str]:
        number = isinstance(value, _NUMBERS)
        size, what = (value, "value") if number else (self._length(value), "length")
        if self.lowest is not None and size < self.lowest:
            yield f"Member must have {what} greater than or equal to {self.lowest}"
        if self.highest is not None and size > self.highest:
            yield f"Member must have {what} less than or equal to {self.highest}"
        if self.names and value not in self.names:
            yield f"Member must satisfy enum value set: [{', '.join(self.names)}]"
        if self.pattern is not None and isinstance(value, str) and not self.pattern[0].fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {self.pattern[1]}"

    def _length(self, value: Any) -> int:
        if self.kind == "blob" and isinstance(value, str):
            # In base64: three bytes for four characters.
            return len(value) * 3 // 4 - value[-2:].count("=")
        return len(value)


def _dotted(path: Path) -> str:
    return ".".join(path)


def shape_of(service: str, shape: Any, protocol: str) -> Shape:
    """What is needed of a botocore shape; a recursive one contains itself."""
    found = _SHAPES.get((service, shape.name))
    if found is not None:
        return found
    kind = shape.type_name
    made = Shape(kind, _TYPES.get(kind, (object,)), is_free=bool(getattr(shape, "is_document_type", False)))
    _SHAPES[service, shape.name] = made
    if kind == "structure":
        made.members = {name: shape_of(service, member, protocol) for name, member in shape.members.items()}
        made.required = tuple(name for name in shape.required_members if not _may_be_empty(name, shape, protocol))
    elif kind == "list":
        made.member = shape_of(service, shape.member, protocol)
    elif kind == "map":
        made.key, made.member = shape_of(service, shape.key, protocol), shape_of(service, shape.value, protocol)
    if protocol not in _LOOSE and kind not in ("structure", "boolean", "timestamp"):
        _add_constraints(made, shape)
    return made


def _add_constraints(made: Shape, shape: Any) -> None:
    metadata = shape.metadata
    made.lowest, made.highest = metadata.get("min"), metadata.get("max")
    made.secret = bool(metadata.get("sensitive"))
    if made.kind == "string":
        made.names = tuple(shape.enum)
        made.pattern = read_pattern(metadata["pattern"]) if "pattern" in metadata else None
    made.is_constrained = any(
        constraint not in (None, ()) for constraint in (made.lowest, made.highest, made.names, made.pattern)
    )


def _may_be_empty(name: str, shape: Any, protocol: str) -> bool:
    """Whether an empty value of the member looks like an absent one: in a form, or as the whole body of a request."""
    kind = shape.members[name].type_name
    if protocol in ("query", "ec2"):
        return kind in ("map", "structure") or (protocol == "ec2" and kind == "list")
    return protocol.startswith("rest") and (name == shape.serialization.get("payload") or kind == "map")


@cache
def read_pattern(text: str) -> tuple[regex.Pattern[str], str] | None:
    """AWS's pattern, which is Java's; None for one that Python cannot read."""
    try:
        return regex.compile(text.replace(_SURROGATES, r"\U00010000-\U0010FFFF")), text
    except regex.error:
        return None
