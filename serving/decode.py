"""The fast way from the bytes of a good request to its clean record: msgspec types made from the bundle's request schema.

One definition, ``FieldSpec``, makes these types, the slow check (``RequestSchema.check``) and the OpenAPI description. The fast
way may only *accept*: what it takes, the slow way would take without a warning and clean to the same values. Whatever it is not
sure of (a wrong type, a value out of range, a name given twice, a quote inside a string) it leaves to the slow way, which alone
refuses and warns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from include.workloads import FieldSpec
from include.workloads.fields import LARGEST_NUMBER, normalize_text

Record = dict[str, Any]


class FastDecoder:
    """Decodes bodies of one request schema. Both methods answer None where the slow way has to look."""

    def __init__(self, fields: Mapping[str, FieldSpec]) -> None:
        self._names = tuple(fields)
        self._cleaners = [(name, _cleaner(spec)) for name, spec in fields.items() if _cleaner(spec)]
        # With neither strings nor fields that may be absent, every good body has the same number of quotes.
        fixed = all(not spec.nullable and spec.type in ("integer", "number", "boolean") for spec in fields.values())
        self._fixed_quotes = 2 * len(fields) if fixed else None
        strict = {"forbid_unknown_fields": True, "kw_only": True}
        record = msgspec.defstruct("Record", [_member(name, spec) for name, spec in fields.items()], **strict)
        batch = msgspec.defstruct("Batch", [("records", list[record])], **strict)
        self._record = msgspec.json.Decoder(record).decode
        self._batch = msgspec.json.Decoder(batch).decode

    def one(self, body: bytes) -> Record | None:
        """The clean record of a /predict body."""
        # msgspec keeps the last of two equal names and says nothing. But a name more is two quotes more, and nothing makes them
        # fewer (an escaped quote makes one more): a body with as many quotes as its values need has no name twice.
        try:
            values = msgspec.structs.astuple(self._record(body))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        return self._clean(values) if body.count(b'"') == self._quotes(values) else None

    def many(self, body: bytes, most: int) -> list[Record] | None:
        """The clean records of a /predict/batch body."""
        try:
            rows = [msgspec.structs.astuple(record) for record in self._batch(body).records]
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        if not 1 <= len(rows) <= most or body.count(b'"') != 2 + sum(map(self._quotes, rows)):
            return None
        records = [self._clean(row) for row in rows]
        return None if None in records else records

    def _quotes(self, values: tuple[Any, ...]) -> int:
        if self._fixed_quotes is not None:
            return self._fixed_quotes
        return 2 * sum((value is not UNSET) + (type(value) is str) for value in values)

    def _clean(self, values: tuple[Any, ...]) -> Record | None:
        record = dict(zip(self._names, values, strict=True))
        if UNSET in values:
            record = {name: None if value is UNSET else value for name, value in record.items()}
        for name, clean in self._cleaners:
            if record[name] is not None:
                record[name], problem = clean(record[name])
                if problem:
                    return None
        return record


def _member(name: str, spec: FieldSpec) -> tuple[str, Any] | tuple[str, Any, Any]:
    kind = _type(spec)
    return (name, kind | None | UnsetType, UNSET) if spec.nullable else (name, kind)


def _type(spec: FieldSpec) -> Any:
    if spec.enum is not None:
        # A number's enum may hold fractions, for which msgspec has no type: Literal[()] accepts nothing.
        return Literal[spec.enum] if spec.type in ("string", "integer") else Literal["\x00"]
    match spec.type:
        case "number":
            return Annotated[float, _bounds(spec)]
        case "integer":
            return Annotated[int, _bounds(spec)]
        case "boolean":
            return bool
        case _:
            return str


def _bounds(spec: FieldSpec) -> Meta:
    """Inside the schema's range, and inside the numbers the lake knows."""
    lower = {"ge": spec.min} if spec.min is not None and spec.min > -LARGEST_NUMBER else {"gt": -LARGEST_NUMBER}
    upper = {"le": spec.max} if spec.max is not None and spec.max < LARGEST_NUMBER else {"lt": LARGEST_NUMBER}
    limits = {**lower, **upper}
    return Meta(**{name: _whole(name, value) for name, value in limits.items()} if spec.type == "integer" else limits)


def _whole(name: str, value: float) -> int:
    """msgspec compares integers with integers: a bound of 2.5 is 3 from below and 2 from above."""
    return -int(-value // 1) if name == "ge" else int(value // 1)


def _cleaner(spec: FieldSpec) -> Callable[[Any], tuple[Any, str | None]] | None:
    """What is left to do to a value of the right type; None: nothing."""
    if spec.type == "timestamp":
        return spec.check
    if spec.type == "string" and spec.enum is None and spec.normalize:
        return _normalized
    return None


def _normalized(text: str) -> tuple[str, None]:
    return (text, None) if text.isascii() and text.isalnum() else (normalize_text(text), None)
