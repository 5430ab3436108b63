"""What a backfill will take, from what past runs took."""

from __future__ import annotations

from typing import Any

import pytest

from include.pipelines.backfill.estimate import START_SECONDS, estimate, fit, weighted_median
from include.pipelines.measurements import Measurement


def run(days: int, seconds: float, usd: float | None = None, rows: int | None = None) -> Measurement:
    """A past run; a day has 900 records."""
    size = days * 900 if rows is None else rows
    return {"run": "k", "days": days, "rows": size, "bytes": 50 * size, "seconds": seconds, "usd": usd}


def estimated(chunks: list[int], past: list[Measurement], retrains: int = 0, **options: Any) -> Any:
    how = {"past_retrain": [], "concurrency": 1, "poll_seconds": 0.0, **options}
    return estimate(chunks, retrains, past, **how)


def test_a_line_is_found_through_runs_of_two_sizes_and_a_slow_run_does_not_bend_it() -> None:
    line = fit([(900 * days, 30 + 2 * days) for days in (1, 1, 1, 10, 61)] + [(900, 500.0)])
    assert line is not None and line.is_split_known
    assert line.at(900 * 31)["likely"] == pytest.approx(92, rel=0.02)


def test_many_runs_of_about_one_size_do_not_drown_the_few_large_ones() -> None:
    """The slope between two nights is noise: it must count less than the one from a night to a range."""
    nights = [(900.0 + 10 * number, 32 + (7 * number) % 11) for number in range(25)]
    line = fit([*nights, (900 * 61, 30 + 2 * 61.0)])
    assert line is not None
    assert line.at(900 * 31)["likely"] == pytest.approx(92, rel=0.15)


def test_without_a_past_run_nothing_is_estimated_and_the_text_says_so() -> None:
    found = estimated([900], [])
    assert (found["seconds"], found["usd"]) == (None, None)
    assert "no past process run: the estimate is unknown" in found["basis"]


def test_runs_of_one_size_only_leave_open_what_another_size_takes() -> None:
    found = estimated([900 * 31], [run(1, 40.0), run(1, 42.0)])["seconds"]
    assert found["low"] < 41 + START_SECONDS
    assert found["high"] > 41 * 31
    assert "all of about one size" in estimated([900 * 31], [run(1, 40.0)])["basis"]


def test_after_runs_of_one_day_only_a_chunk_is_not_taken_for_as_many_runs() -> None:
    """A run of one day is mostly the start of its jobs. Half of it was taken for its records: a month was 16 runs."""
    line = fit([(1800.0, 60.0), (1900.0, 64.0)])
    assert line is not None
    assert 1.5 < line.at(1850 * 31)["likely"] / line.at(1850)["likely"] < 4


def test_a_chunk_far_beyond_every_past_run_is_less_certain() -> None:
    past = [run(1, 32.0), run(2, 34.0), run(4, 38.0)]
    near, far = (estimated([900 * days], past)["seconds"] for days in (4, 366))
    assert (far["high"] / far["likely"]) > (near["high"] / near["likely"])
    assert "the largest had 3,600 records" in estimated([900 * 366], past)["basis"]


def test_chunks_that_run_at_once_shorten_the_time_and_not_the_cost() -> None:
    past = [run(1, 32.0, 0.01), run(61, 152.0, 0.13), run(10, 50.0, 0.028)]
    one = estimated([900 * 31] * 4, past)
    two = estimated([900 * 31] * 4, past, concurrency=2)
    assert two["seconds"]["likely"] == pytest.approx(one["seconds"]["likely"] / 2)
    assert two["usd"] == one["usd"]
    assert one["usd"]["likely"] == pytest.approx(4 * (0.008 + 0.002 * 31), rel=0.05)


def test_a_cost_that_no_past_run_knows_is_unknown_although_the_time_is_not() -> None:
    found = estimated([900], [run(1, 32.0), run(10, 50.0)])
    assert found["usd"] is None and found["seconds"] is not None


def test_retrains_follow_one_another_whatever_the_concurrency() -> None:
    trained = [run(1, 100.0, 0.05), run(1, 120.0, 0.05), run(1, 110.0, 0.05)]
    found = estimated([], [], 3, past_retrain=trained, concurrency=2)
    assert found["seconds"]["likely"] == 3 * (110 + START_SECONDS)
    assert found["usd"]["likely"] == pytest.approx(0.15)
    unknown = estimated([900], [run(1, 30.0), run(9, 50.0)], 3)
    assert unknown["seconds"] is None and "no past retrain run" in unknown["basis"]


def test_more_time_for_fewer_records_is_no_negative_slope() -> None:
    line = fit([(900.0, 60.0), (9000.0, 40.0), (18000.0, 30.0)])
    assert line is not None and line.per_row == 0
    assert line.at(0)["likely"] > 0


def test_a_weighted_median_is_where_half_of_the_weight_is_reached() -> None:
    assert weighted_median([(1, 1), (2, 1), (9, 10)]) == 9
    with pytest.raises(ValueError, match="no values"):
        weighted_median([])
