"""Instants have one text form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.lake.instants import format_instant, parse_instant, to_millisecond

NEW_YORK = timezone(timedelta(hours=-5))
INSTANTS = st.datetimes(timezones=st.just(UTC))


def test_the_text_is_utc_with_microseconds() -> None:
    evening = datetime(2013, 2, 28, 20, tzinfo=NEW_YORK)
    assert format_instant(evening) == "2013-03-01T01:00:00.000000Z"
    assert format_instant(datetime(999, 1, 1, microsecond=1, tzinfo=UTC)) == "0999-01-01T00:00:00.000001Z"
    assert parse_instant("2013-02-28T20:00:00-05:00") == evening


@given(INSTANTS, INSTANTS)
def test_texts_compare_as_the_instants_do(one: datetime, other: datetime) -> None:
    assert (format_instant(one) < format_instant(other)) == (one < other)
    assert parse_instant(format_instant(one)) == one


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "2013-03-01",
        "2013-03-01T10:15:00",
        "2013-03-01T25:00:00Z",
        "0001-01-01T00:00:00+23:00",
        None,
        1362132900,
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ISO 8601 time with an offset"):
        parse_instant(text)


@given(INSTANTS)
def test_an_instant_is_cut_to_the_millisecond(instant: datetime) -> None:
    cut = to_millisecond(instant)
    assert cut <= instant < cut + timedelta(milliseconds=1)
    assert cut.microsecond % 1000 == 0 and cut.tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no offset"):
        format_instant(datetime(2013, 3, 1))  # noqa: DTZ001 - the missing zone is tested
