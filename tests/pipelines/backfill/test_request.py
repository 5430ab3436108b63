"""The form of a backfill: what is refused, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from include.errors import UserError
from include.pipelines.backfill.request import retrain_days
from tests.support.backfills import request


def test_a_form_is_read() -> None:
    found = request(retrain_every="weekly")
    assert (found["first"], found["last"], found["chunk_days"]) == ("2013-03-01", "2013-03-10", 4)
    assert found["retrain_every"] == 7
    assert found["approve_above_usd"] == 5.0


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"from_date": None}, "from_date is empty"),
        ({"to_date": "yesterday"}, "to_date: 'yesterday' is not a day"),
        ({"from_date": "2013-03-11"}, "to_date is 2013-03-10, before from_date 2013-03-11"),
        ({"from_date": "1990-01-01"}, "more than 3660 days"),
        ({"to_date": "2013-06-01"}, "to_date 2013-06-01 has not ended .* up to 2013-05-31"),
        ({"chunk_days": 0}, "chunk_days is 0. Give a whole number from 1 to 366"),
        ({"chunk_days": True}, "chunk_days is True"),
        ({"chunk_days": 2.5}, "chunk_days is 2.5"),
        ({"concurrency": 3}, "concurrency is 3. Give a whole number from 1 to 2"),
        ({"retrain_every": "hourly"}, "retrain_every is 'hourly'. Choose one of never, daily, weekly, monthly"),
        ({"approve_above_usd": -1}, "approve_above_usd is -1"),
        ({"approve_above_usd": float("nan")}, "approve_above_usd is nan"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(UserError, match=text):
        request(**changes)


def test_retrains_end_with_the_last_day_and_go_back_from_there() -> None:
    assert retrain_days(request()) == []
    assert [str(day) for day in retrain_days(request(retrain_every="weekly"))] == ["2013-03-03", "2013-03-10"]
    assert len(retrain_days(request(retrain_every="daily"))) == 10
