"""Which run's tasks go first."""

from __future__ import annotations

from nightjar.priority import weight_of


def test_nights_before_a_persons_runs_before_backfills() -> None:
    nights = {weight_of("scheduled__2013-03-01T00:30:00+00:00"), weight_of("asset_triggered__2013-03-01")}
    backfills = {weight_of("backfill__2013-03-01"), weight_of("chunk-2013-03-01-2013-03-31-0a1b2c3d4e")}
    assert len(nights) == len(backfills) == 1
    assert min(nights) > weight_of("manual__2026-01-01T00:00:00+00:00") > max(backfills)
