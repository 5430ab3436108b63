"""The fast decoder of request bodies: msgspec types made from the bundle's request schema.

One definition, ``FieldSpec``, makes these types, the reference check (``RequestSchema.check``) and the OpenAPI
description. The fast decoder accepts only bodies that it is sure of: those that the reference check accepts without a
warning, with the same clean values. Everything else (a wrong type, a value out of range, a name given twice, a quote
inside a string) goes to the reference check, which alone rejects and warns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import UNSET, Meta, UnsetType

from include.model.request import RequestSchema
from include.workloads import FieldSpec
from include.workloads.fields import LARGEST_NUMBER, normalize_text
from include.workloads.request_rules import RequestRule

Record = dict[str, Any]
Cleaner = Callable[[Any], tuple[Any, str | None]]


class Decoder(Protocol):
    """Decodes bodies. Both methods return ``None`` for a body that needs the reference check."""

    def one(self, body: bytes) -> Record | None:
        """Returns the clean record of a /predict body."""
        ...

    def many(self, body: bytes, max_records: int) -> list[Record] | None:
        """Returns the clean records of a /predict/batch body."""
        ...


def make_decoder(schema: RequestSchema) -> Decoder:
    """Returns the decoder for what a request may be: the record or, if it may give them, the features."""
    record = FastDecoder(schema.fields, schema.rules)
    return EitherDecoder(record, FastDecoder(schema.features)) if schema.features else record


class EitherDecoder:
    """Decodes bodies of two kinds. A batch that mixes them needs the reference check."""

    def __init__(self, first: Decoder, second: Decoder) -> None:
        self._decoders = (first, second)

    def one(self, body: bytes) -> Record | None:
        """Returns the clean record of a /predict body."""
        found = (decoder.one(body) for decoder in self._decoders)
        return next((record for record in found if record is not None), None)

    def many(self, body: bytes, max_records: int) -> list[Record] | None:
        """Returns the clean records of a /predict/batch body."""
        found = (decoder.many(body, max_records) for decoder in self._decoders)
        return next((records for records in found if records is not None), None)


class FastDecoder:
    """Decodes bodies with the fields of one kind."""

    def __init__(self, fields: Mapping[str, FieldSpec], rules: Sequence[RequestRule] = ()) -> None:
        self._names = tuple(fields)
        self._rules = tuple(rules)
        self._optional = any(spec.nullable for spec in fields.values())
        cleaners = ((name, _cleaner(spec)) for name, spec in fields.items())
        self._cleaners = [(name, cleaner) for name, cleaner in cleaners if cleaner is not None]
        # With neither strings nor optional fields, every good body has the same number of quotes.
        fixed = all(not spec.nullable and spec.type in ("integer", "number", "boolean") for spec in fields.values())
        self._fixed_quotes = 2 * len(fields) if fixed else None
        record = _strict_struct("Record", [_member(name, spec) for name, spec in fields.items()])
        batch = _strict_struct("Batch", [("records", list[record])])  # type: ignore[valid-type]  # made at run time
        self._record: Callable[[bytes], Any] = msgspec.json.Decoder(record).decode
        self._batch: Callable[[bytes], Any] = msgspec.json.Decoder(batch).decode

    def one(self, body: bytes) -> Record | None:
        """Returns the clean record of a /predict body."""
        # msgspec silently keeps the last of two equal names. But an extra name is two extra quotes, and nothing makes
        # them fewer (an escaped quote is one more), so a body with exactly the quotes of its values has no name twice.
        try:
            values = msgspec.structs.astuple(self._record(body))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        return self._clean(values) if body.count(b'"') == self._quotes(values) else None

    def many(self, body: bytes, max_records: int) -> list[Record] | None:
        """Returns the clean records of a /predict/batch body."""
        try:
            rows = [msgspec.structs.astuple(record) for record in self._batch(body).records]
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        if not 1 <= len(rows) <= max_records or body.count(b'"') != 2 + sum(map(self._quotes, rows)):
            return None
        records = []
        for row in rows:
            record = self._clean(row)
            if record is None:
                return None
            records.append(record)
        return records

    def _quotes(self, values: tuple[Any, ...]) -> int:
        if self._fixed_quotes is not None:
            return self._fixed_quotes
        return 2 * sum((value is not UNSET) + (type(value) is str) for value in values)

    def _clean(self, values: tuple[Any, ...]) -> Record | None:
        record = dict(zip(self._names, values, strict=True))
        if self._optional and UNSET in values:
            record = {name: None if value is UNSET else value for name, value in record.items()}
        for name, clean in self._cleaners:
            if record[name] is not None:
                record[name], problem = clean(record[name])
                if problem:
                    return None
        if self._rules and any(any(rule.problems(record)) for rule in self._rules):
            return None
        return record


def _strict_struct(name: str, members: list[tuple[str, Any] | tuple[str, Any, Any]]) -> type[msgspec.Struct]:
    return msgspec.defstruct(name, members, forbid_unknown_fields=True, kw_only=True)


def _member(name: str, spec: FieldSpec) -> tuple[str, Any] | tuple[str, Any, Any]:
    kind = _type(spec)
    return (name, kind | None | UnsetType, UNSET) if spec.nullable else (name, kind)


def _type(spec: FieldSpec) -> Any:
    if spec.enum is not None:
        # A number's enum may have fractions, for which msgspec has no type. This Literal accepts no number.
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
    """The range of the schema, within the range of numbers that the lake accepts."""
    lower = {"ge": spec.min} if spec.min is not None and spec.min > -LARGEST_NUMBER else {"gt": -LARGEST_NUMBER}
    upper = {"le": spec.max} if spec.max is not None and spec.max < LARGEST_NUMBER else {"lt": LARGEST_NUMBER}
    limits = {**lower, **upper}
    return Meta(**{name: _whole(name, value) for name, value in limits.items()} if spec.type == "integer" else limits)


def _whole(name: str, value: float) -> int:
    """Rounds a bound, because msgspec compares integers with integers: 2.5 is 3 as a minimum, 2 as a maximum."""
    return -int(-value // 1) if name == "ge" else int(value // 1)


def _cleaner(spec: FieldSpec) -> Cleaner | None:
    """What remains to be done for a value of the right type; ``None``: nothing."""
    if spec.type == "timestamp":
        return spec.check
    if spec.type == "string" and spec.enum is None and spec.normalize:
        return _normalized
    return None


def _normalized(text: str) -> tuple[str, None]:
    return (text, None) if text.isascii() and text.isalnum() else (normalize_text(text), None)
