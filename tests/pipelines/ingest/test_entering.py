"""A watermark moves after the markers of what was read at it, whoever comes in between."""

from __future__ import annotations

from datetime import UTC, datetime

from include.lake.instants import format_instant
from include.pipelines.ingest.entering import has_entered, move_watermark, name_entering
from tests.support.stores_in_memory import ItemsInMemory

KEY = ("watermark#w", "s")
FIRST, SECOND = datetime(2013, 3, 1, tzinfo=UTC), datetime(2013, 3, 2, tzinfo=UTC)


def test_an_object_that_is_named_while_the_watermark_moves_has_its_markers_first() -> None:
    state, marked = ItemsInMemory(), []
    assert name_entering(KEY, "raw-1", "files", None, state), "there may be no watermark yet"

    def mark(raw_key: str, source: str) -> None:
        marked.append((raw_key, source))
        if len(marked) == 1:
            assert name_entering(KEY, "raw-2", "s", None, state)

    assert move_watermark(KEY, format_instant(FIRST), mark, state)
    assert marked == [("raw-1", "files"), ("raw-1", "files"), ("raw-2", "s")]
    assert state.get(*KEY) == {"watermark": format_instant(FIRST)}


def test_what_was_read_at_another_watermark_is_not_named() -> None:
    state = ItemsInMemory()
    assert move_watermark(KEY, format_instant(SECOND), lambda *_: None, state)
    assert not name_entering(KEY, "raw-1", "files", FIRST, state)
    assert not name_entering(KEY, "raw-1", "files", None, state)
    assert name_entering(KEY, "raw-1", "files", SECOND, state)


def test_a_name_is_taken_away_alone_and_once() -> None:
    state = ItemsInMemory()
    for name in ("raw-1", "raw-2", "raw-2"):
        assert name_entering(KEY, name, "files", None, state)
    has_entered(KEY, "raw-1", state)
    has_entered(KEY, "raw-1", state)
    assert state.get(*KEY) == {"entering": {"raw-2": "files"}}
    has_entered(KEY, "raw-2", state)
    assert state.get(*KEY) == {}


def test_a_watermark_never_moves_back() -> None:
    state = ItemsInMemory()
    assert move_watermark(KEY, format_instant(SECOND), lambda *_: None, state)
    assert not move_watermark(KEY, format_instant(FIRST), lambda *_: None, state)
    assert state.get(*KEY) == {"watermark": format_instant(SECOND)}
