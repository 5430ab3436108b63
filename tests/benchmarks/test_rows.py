from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from benchmarks import loop, make_run, memory
from benchmarks.retrain_run import Measurement
from infra.laptop.night_log import NightRecord

CLEAN = {"started": "2026-11-23T01:00:00+00:00", "seconds": 205.0, "first": True, "set_up": True}
AGAIN = {"started": "2026-11-23T02:00:00+00:00", "seconds": 33.0, "first": False, "set_up": False}

FIRST = NightRecord("flights", date(2013, 6, 19), 38.0, "version 1 is live", ended="2026-11-23T01:02:29.500+00:00")
SECOND = NightRecord("flights", date(2013, 6, 20), 52.0, "version 2 is live", ended="2026-11-23T01:03:25.000+00:00")


def a_run(wall: float) -> Measurement:
    jobs = {"dataset": 6.0, "digest": 9.0, "training": 8.0, "evaluation": 3.0}
    gaps = {"prepare runs": 1.7, "before prepare starts": 0.1}
    return Measurement(wall, jobs, ["plan", "prepare", "register"], [0.1, 0.3], 1, gaps)


def test_the_longer_query_and_the_median_run_count() -> None:
    assert a_run(30.0).needed == 20.0
    ratio, hop = loop.retrain_rows([(0.5, a_run(30.0)), (4.0, a_run(90.0)), (0.7, a_run(34.0))])
    assert (ratio.value, ratio.verdict) == (1.7, "MISSED")
    assert "1.50 (load 0.5, 1 retries), 4.50 (load 4.0, 1 retries)" in ratio.note
    assert hop.value == 0.2
    assert "prepare runs 1.7" in hop.note


def test_the_slowest_file_counts() -> None:
    row = loop.import_row({"a.py": 0.2, "b.py": 1.3})
    assert (row.value, row.verdict) == (1.3, "MISSED")


def test_ingest_is_flat_or_not() -> None:
    rows = loop.ingest_rows([{"records": 25_000, "peak_mb": 150.0}, {"records": 250_000, "peak_mb": 180.0}])
    assert [row.verdict for row in rows] == ["met", "met", "MISSED"]


def test_unreadable_memory_is_not_a_small_memory() -> None:
    peak = memory.Sample({"cloud": 0}, processes=0, unreadable=4)
    assert loop.memory_row("x", peak, 5, 3.0).verdict == "not measured"


def test_the_note_counts_unreadable_processes() -> None:
    peak = memory.Sample({"cloud": 2_000_000_000, "postgres": 0}, processes=3, unreadable=4)
    row = loop.memory_row("x", peak, 5, 3.0)
    assert row.value == 2.0
    assert "4 processes could not be read" in row.note


def test_recorded_runs() -> None:
    first, clean, again = make_run.rows([CLEAN, AGAIN], {"flights": [SECOND], "feedback": [FIRST, SECOND]})
    assert (first.value, first.verdict) == (149.5, "met")
    assert (clean.value, clean.verdict) == (205.0, "met")
    assert (again.value, again.verdict) == (33.0, "MISSED")


def test_a_first_run_without_set_up_is_not_a_run_from_a_clean_clone() -> None:
    for runs in ([{**CLEAN, "set_up": False}], []):
        assert [row.verdict for row in make_run.rows(runs, {"flights": [FIRST]})] == ["not measured"] * 3


def test_a_night_that_was_recorded_without_its_time_says_nothing_of_the_first_run() -> None:
    for night in (replace(FIRST, ended=None), replace(FIRST, status="failed")):
        assert make_run.rows([CLEAN], {"flights": [night]})[0].verdict == "not measured"


def test_the_newest_night_counts_that_was_made_to_its_end() -> None:
    row = make_run.night_row([FIRST, SECOND, replace(SECOND, seconds=9.0, status="refused")])
    assert (row.value, row.verdict) == (52.0, "MISSED")
    assert make_run.night_row([replace(FIRST, status="failed")]).verdict == "not measured"


def test_without_a_running_stack_the_exit_code_is_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NIGHTJAR_RUN", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["loop"])
    assert loop.main() == 2
    assert "make run" in capsys.readouterr().err
