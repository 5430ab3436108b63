"""What a dry run of process reports."""

from __future__ import annotations

from datetime import date

from include.lake.days import day_range
from include.pipelines.process.dry_run import describe_dry_run
from include.workloads import load
from tests.support.retrain_runs import State

FLIGHTS = load("flights")
SOURCES = (FLIGHTS.stream.name, *FLIGHTS.tables)
DAYS = day_range(date(2013, 3, 1), date(2013, 3, 4))


def watermarks(text: str) -> State:
    return State({("watermark#flights", source): {"watermark": text} for source in SOURCES})


def test_it_says_what_it_would_process_and_what_not() -> None:
    state = watermarks("2013-03-05T00:00:00.000000Z")
    assert describe_dry_run(FLIGHTS, DAYS, ["2013-03-01", "2013-03-02", "2013-03-04"], 12, state) == (
        "Dry run: would process 2013-03-01 to 2013-03-02, 2013-03-04 from 12 raw objects. Without raw data, or "
        "published from the same inputs and code already: 2013-03-03. It would not have to wait for raw data."
    )


def test_it_says_what_it_would_wait_for() -> None:
    state = watermarks("2013-03-05T00:00:00.000000Z")
    state.put("watermark#flights", FLIGHTS.stream.name, {"watermark": "2013-03-04T23:59:59.000000Z"})
    text = describe_dry_run(FLIGHTS, DAYS[-1:], ["2013-03-04"], 1, state)
    assert text.endswith(
        "It would wait until these are in raw up to 2013-03-05T00:00:00.000000Z: "
        f"{FLIGHTS.stream.name} (2013-03-04T23:59:59.000000Z)."
    )
    assert text.count("already") == 0
    assert "nothing ingested" in describe_dry_run(FLIGHTS, DAYS[-1:], ["2013-03-04"], 1, State())
