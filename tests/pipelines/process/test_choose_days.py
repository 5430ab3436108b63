"""The days of a run: what a run without a date is for, and what a person's run is refused for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.errors import UserError
from include.lake import layout, state_keys
from include.pipelines.process.choose_days import DayChoice
from include.workloads import load
from tests.support.moto_cloud import LAKE, STATE, MotoCloud
from tests.support.product_settings import product_settings

pytestmark = pytest.mark.stack
WORKLOAD = load("flights")
STREAM = WORKLOAD.stream.name
PRESENT = datetime(2013, 6, 10, 5, tzinfo=UTC)
NOTHING = {"date": None, "end_date": None}


def choice(default_day: str = "next") -> DayChoice:
    settings = product_settings(default_day=default_day)
    return DayChoice(WORKLOAD, settings, PRESENT, ObjectStoreHook(), StateHook(STATE))


def run(run_type: str = "manual") -> Any:
    start = datetime(2013, 5, 1, tzinfo=UTC) if run_type != "manual" else datetime(2013, 6, 9, tzinfo=UTC)
    end = start + timedelta(days=1)
    return SimpleNamespace(run_type=run_type, data_interval_start=start, data_interval_end=end)


def raw(day: str) -> None:
    key = layout.raw_stream_key("flights", STREAM, date.fromisoformat(day), "s", "1")
    ObjectStoreHook().put(LAKE, layout.marker_key("flights", STREAM, date.fromisoformat(day), key), b"")


def processed(day: str, status: str = "published") -> None:
    StateHook(STATE).put(*state_keys.day_key("flights", date.fromisoformat(day)), {"status": status})


def complete_to(instant: str) -> None:
    StateHook(STATE).put(*state_keys.watermark_key("flights", STREAM), {"watermark": instant})


def test_a_run_without_a_date_is_for_the_day_after_the_last_one_processed(cloud: MotoCloud) -> None:
    processed("2013-06-01")
    processed("2013-06-02", "refused")
    raw("2013-06-03")
    complete_to("2013-06-04T00:00:00.000000Z")
    chosen = choice().to_process(run(), NOTHING)
    assert chosen == {"days": ["2013-06-03"], "last": "2013-06-03", "cutoff": "2013-06-04T00:00:00.000000Z"}


def test_a_day_that_nobody_asked_for_is_not_waited_for(cloud: MotoCloud) -> None:
    """It has data, because some events are recorded before their day, but the stream is not complete up to its end."""
    processed("2013-06-02")
    raw("2013-06-03")
    complete_to("2013-06-03T12:00:00.000000Z")
    with pytest.raises(
        UserError, match=r"next day to process is 2013-06-03\. The stream is complete up to 2013-06-03T12"
    ):
        choice().to_process(run(), NOTHING)
    assert choice().to_process(run(), {**NOTHING, "date": "2013-06-03"})["last"] == "2013-06-03"


def test_where_nothing_was_processed_it_is_for_the_last_day_complete_in_raw(cloud: MotoCloud) -> None:
    complete_to("2013-06-03T00:00:00.000000Z")
    raw("2013-06-02")
    assert choice().to_process(run(), NOTHING)["last"] == "2013-06-02"


def test_on_aws_it_is_for_the_last_complete_day(cloud: MotoCloud) -> None:
    processed("2013-06-01")
    raw("2013-06-09")
    assert choice("last_complete").to_process(run(), NOTHING)["last"] == "2013-06-09"
    assert choice("last_complete").to_train_for(run(), NOTHING)["last"] == "2013-06-09"


def test_a_retrain_run_without_a_date_is_for_the_newest_published_day(cloud: MotoCloud) -> None:
    processed("2013-06-01")
    processed("2013-06-02", "refused")
    assert choice().to_train_for(run(), NOTHING)["last"] == "2013-06-01"


def test_nothing_to_choose_from_says_what_to_do(cloud: MotoCloud) -> None:
    with pytest.raises(UserError, match=r"no raw data\. Run the ingest DAGs"):
        choice().to_process(run(), NOTHING)
    with pytest.raises(UserError, match="Run the process DAG first"):
        choice().to_train_for(run(), NOTHING)


def test_a_persons_run_for_a_day_without_data_is_refused_and_does_not_wait(cloud: MotoCloud) -> None:
    complete_to("2013-06-03T00:00:00.000000Z")
    params = {**NOTHING, "date": "2013-06-04"}
    for choose in (choice().to_process, choice().to_train_for):
        with pytest.raises(UserError, match=r"no raw data of 2013-06-04\. The stream is complete up to 2013-06-03T"):
            choose(run(), params)
    raw("2013-06-04")
    assert choice().to_process(run(), params)["last"] == choice().to_train_for(run(), params)["last"] == "2013-06-04"


def test_a_range_needs_raw_data_of_one_of_its_days(cloud: MotoCloud) -> None:
    params = {"date": "2013-06-01", "end_date": "2013-06-03"}
    with pytest.raises(UserError, match=r"no raw data of 2013-06-01 to 2013-06-03\. Nothing was ingested yet"):
        choice().to_process(run(), params)
    raw("2013-06-02")
    assert choice().to_process(run(), params)["days"] == ["2013-06-01", "2013-06-02", "2013-06-03"]


def test_a_persons_run_for_today_is_refused(cloud: MotoCloud) -> None:
    raw("2013-06-10")
    with pytest.raises(UserError, match="has not ended"):
        choice().to_process(run(), {**NOTHING, "date": "2013-06-10"})


@pytest.mark.parametrize("run_type", ["scheduled", "backfill"])
def test_a_run_with_an_interval_waits_for_its_data(cloud: MotoCloud, run_type: str) -> None:
    assert choice().to_process(run(run_type), NOTHING)["days"] == ["2013-05-01"]
    assert choice().to_train_for(run(run_type), NOTHING)["last"] == "2013-05-01"
