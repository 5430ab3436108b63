"""Which bytes are an event."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
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
        (b"\xf3\x89\x9a\xc2rest", "Kinesis Producer Library"),
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
