"""Which bytes are an event."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from include.pipelines.ingest.decode import REQUIRED, UndecodableError, decode
from tests.support.kinesis_stream import event


def reason(data: bytes) -> str | None:
    try:
        decode(data)
    except UndecodableError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object but list"),
        (b"null", "not a JSON object"),
        (event(1, key=7), "key: is not a string"),
        (event(1, recorded_at=None), "recorded_at: is not a string"),
        (b'{"event_type": "a", "key": "b", "event_time": "2013-01-01T00:00:00Z"}', "recorded_at: is missing"),
        (event(1, event_time="yesterday"), "event_time: 'yesterday' is not an ISO 8601 time"),
        (event(1, event_time="2013-01-01T00:00:00"), "no offset"),
        (event(1, event_time="0001-01-01T00:00:00+14:00"), "event_time"),
        (event(1).replace(b'{"n": 1}', b"NaN"), "NaN is not a JSON number"),
        (event(1).replace(b'{"n": 1}', b"1e999"), "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (event(1).replace(b'{"n": 1}', b"-1e999"), "-1e999 is beyond the range of a double"),
        (event(1, key="\ud800"), "key: is not valid Unicode text"),
        (event(1, event_type="a\udfff"), "event_type: is not valid Unicode text"),
        (event(1)[:-1] + b', "key": "2"}', "'key': is given more than once in an object"),
        (event(1).replace(b'{"n": 1}', b'[{"n": 1, "m": 1, "n": 1}]'), "'n': is given more than once"),
    ],
)
def test_a_record_that_is_no_event_says_why(data: bytes, expected: str) -> None:
    assert expected in (reason(data) or "")


@given(
    st.binary(max_size=60)
    | st.dictionaries(st.sampled_from(REQUIRED), st.text() | st.none()).map(json.dumps).map(str.encode)
)
def test_decoding_never_fails_otherwise(data: bytes) -> None:
    assert reason(data) != "", "an error without a reason"


def test_an_event_is_one_line_with_its_utc_day() -> None:
    decoded = decode(json.dumps(json.loads(event(1, event_time="2013-03-01T23:30:00-05:00")), indent=2).encode())
    assert decoded.day == "2013-03-02"
    assert "\n" not in decoded.text
    assert decode(event(1, event_time="0001-01-01T10:00:00Z")).day == "0001-01-01"


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20).map(str)


@given(TEXTS, NUMBERS, st.sampled_from(["", "\n", "\r\n", "\r", "\t "]), st.booleans())
def test_what_was_sent_is_kept_digit_by_digit(text: str, number: str, blank: str, ascii_only: bool) -> None:
    assume(re.fullmatch(r"-?\d+(\.\d+)?(E[+-]?\d+)?", number))
    name = json.dumps(text, ensure_ascii=ascii_only)
    sent = event(1).replace(b'{"n": 1}', f"{{{blank}{name}:{blank}{number}{blank}}}{blank}".encode())
    decoded = decode(sent)
    assert json.loads(decoded.text, parse_float=str, parse_int=str) == json.loads(sent, parse_float=str, parse_int=str)
    assert len(f"a{decoded.text}b".split("\n")) == 1 and "\r" not in decoded.text
