"""How the history is read for the replay: some weeks at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from include.workloads import load
from infra.laptop import replay
from infra.laptop.history_source import HistorySource
from infra.laptop.progress import Reporter
from infra.laptop.replay import HELD, History

START = date(2013, 1, 1)


def test_events_are_read_some_weeks_at_a_time_and_each_is_sent_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[date, date]] = []
    sent: list[str] = []
    reached: dict[str, date] = {}

    def events(start: date, end: date) -> Iterator[dict[str, Any]]:
        read.append((start, end))
        for offset in range((end - start).days):
            yield {"key": "1", "recorded_at": f"{start + timedelta(days=offset)}T12:00:00Z"}

    monkeypatch.setattr(HistorySource, "open", lambda name, data: SimpleNamespace(events=events))
    monkeypatch.setattr(replay, "replayed_to", lambda aws, table, name: reached.get(name))
    monkeypatch.setattr(replay, "remember_replayed", lambda aws, table, name, day: reached.update({name: day}))
    monkeypatch.setattr(replay, "put_records", lambda aws, stream, batch: sent.extend(e["recorded_at"] for e in batch))
    nobody: Any = None
    end = START + HELD + timedelta(days=9)
    history = History(load("flights"), tmp_path, START, end)
    quiet = Reporter(Console(quiet=True))
    for to in (START + timedelta(days=5), START + timedelta(days=6), end, end):
        history.replay(nobody, "state", to, quiet)
    assert read == [(START, START + HELD), (START + HELD, end)]
    assert sent == sorted(set(sent)) and len(sent) == (end - START).days
