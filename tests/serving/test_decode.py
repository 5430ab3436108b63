"""The fast decoder accepts only bodies that the reference accepts without a warning, with the same clean values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.model.request import RequestSchema
from include.workloads import FieldSpec, load
from serving import validation
from serving.decode import FastDecoder
from serving.errors import HttpError
from tests.support.bundles import TEXT_REQUEST
from tests.support.request_cases import RECORDS

MIXED = {
    "name": FieldSpec(type="string"),
    "raw": FieldSpec(type="string", nullable=True, normalize=False),
    "kind": FieldSpec(type="string", enum=("a b", "c")),
    "grade": FieldSpec(type="integer", enum=(1, 2, 3)),
    "share": FieldSpec(type="number", nullable=True, min=-0.5, max=0.5),
    "step": FieldSpec(type="number", enum=(0.5, 1)),
    "whole": FieldSpec(type="integer", nullable=True, min=-2.5, max=2.5),
    "fresh": FieldSpec(type="boolean", nullable=True),
    "made": FieldSpec(type="timestamp", nullable=True),
}
GOOD: dict[str, Any] = {"name": "x", "kind": "c", "grade": 2, "share": 0.25, "step": 1, "whole": 2, "fresh": True}
DECODABLE = {name: spec for name, spec in MIXED.items() if name != "step"}
SCHEMAS = {"texts": TEXT_REQUEST, "mixed": DECODABLE, "flights": dict(load("flights").request)}
DECODERS = {name: (FastDecoder(fields), RequestSchema(fields)) for name, fields in SCHEMAS.items()}


def reference(body: bytes, schema: RequestSchema) -> dict[str, Any] | None:
    """The record, or None if it is rejected or has a warning."""
    try:
        checked = validation.one(validation.parse(body), schema)
    except HttpError:
        return None
    return None if checked.warnings else checked.record


def agree(name: str, body: bytes) -> dict[str, Any] | None:
    decoder, schema = DECODERS[name]
    fast = decoder.one(body)
    if fast is not None:
        # As text: 1 and 1.0 and True are equal, and 0.0 and -0.0.
        assert repr(fast) == repr(reference(body, schema)), body
    wrapped = b'{"records":[' + body + b"," + body + b"]}"
    assert repr(decoder.many(wrapped, 2)) == repr(None if fast is None else [fast, fast]), body
    assert decoder.many(wrapped, 1) is None
    return fast


def example(name: str) -> dict[str, Any]:
    if name == "mixed":
        return {key: value for key, value in GOOD.items() if key != "step"}
    return {field: spec.example for field, spec in SCHEMAS[name].items() if spec.example is not None}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_good_body_is_decoded_fast(name: str) -> None:
    assert agree(name, json.dumps(example(name)).encode())
    assert agree(name, json.dumps(example(name), indent=1).encode() + b"\n")


@pytest.mark.parametrize(
    ("body", "status"), [(case[1], case[2]) for case in RECORDS], ids=[case[0] for case in RECORDS]
)
def test_the_table_of_cases(body: str, status: int) -> None:
    accepted = agree("texts", body.encode())
    assert accepted is None or status == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 'a"b'),
        ("name", "a\\b"),
        ("name", "\ud800"),
        ("name", "\ud83d\ude00"),
        ("name", "\U0001f600"),
        ("name", "a\nb"),
        ("name", "  two  blanks "),
        ("name", "A\u030a"),
        ("name", "\u00a0"),
        ("name", "null"),
        ("name", ""),
        ("name", "a\u2028b"),
        ("raw", " kept "),
        ("raw", None),
        ("kind", "a  b"),
        ("kind", "d"),
        ("grade", 4),
        ("grade", 2.0),
        ("share", 0.5),
        ("share", 0.6),
        ("share", -0.0),
        ("share", None),
        ("whole", 3),
        ("whole", -2),
        ("whole", -3),
        ("whole", True),
        ("whole", 10**20),
        ("fresh", None),
        ("fresh", 1),
        ("made", "2013-03-01T10:00:00+02:00"),
        ("made", "2013-03-01T10:00:00"),
        ("made", "yesterday"),
    ],
)
def test_each_kind_of_field(field: str, value: Any) -> None:
    record = {**example("mixed"), field: value}
    agree("mixed", json.dumps(record).encode())
    agree("mixed", json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def test_a_name_given_twice_is_left_to_the_reference() -> None:
    assert agree("texts", b'{"text_length": 1, "text_length": 2, "num_keywords": 3}') is None
    assert agree("texts", b'{"text_length": 1, "text\\u005flength": 2, "num_keywords": 3}') is None
    assert agree("mixed", json.dumps(example("mixed")).encode()[:-1] + b', "raw": "a", "raw": null}') is None
    assert agree("mixed", json.dumps(example("mixed")).encode()[:-1] + b', "raw": null, "raw": "a"}') is None


def test_a_field_without_a_fast_type_is_left_to_the_reference() -> None:
    assert FastDecoder(MIXED).one(json.dumps(GOOD).encode()) is None


text = st.text(st.characters(codec=None), max_size=5)
values = st.none() | st.booleans() | st.integers() | st.floats() | text | st.sampled_from(["UA", "EWR", "c", 3, 0.5])


@given(st.sampled_from(sorted(SCHEMAS)), st.data())
def test_any_record(name: str, data: st.DataObject) -> None:
    record = example(name)
    for field in data.draw(st.lists(st.sampled_from(sorted(SCHEMAS[name])), max_size=3)):
        if data.draw(st.booleans()):
            record.pop(field, None)
        else:
            record[field] = data.draw(values)
    agree(name, json.dumps(record, ensure_ascii=data.draw(st.booleans())).encode("utf-8", "surrogatepass"))


@given(st.sampled_from(sorted(SCHEMAS)), st.data())
def test_any_bytes_near_a_record(name: str, data: st.DataObject) -> None:
    body = bytearray(json.dumps(example(name)).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body)))
        body[place : place + data.draw(st.integers(0, 2))] = data.draw(
            st.binary(max_size=2) | st.sampled_from([b'"', b",", b"\\", b"\x00"])
        )
    decoder, schema = DECODERS[name]
    fast = decoder.one(bytes(body))
    assert fast is None or repr(fast) == repr(reference(bytes(body), schema)), bytes(body)
