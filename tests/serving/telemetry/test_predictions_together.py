"""Predictions that are logged together: the same records as one by one, or nothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from serving.telemetry import Prediction, ServedModel
from serving.telemetry.prediction_log import PredictionLog
from serving.telemetry.streams import RECORD_BYTES, StreamRecord

MODEL = ServedModel("texts", "7", "0" * 64, "test")


class KeptStream:
    """A stream that keeps what it gets."""

    uri = "firehose://kept"

    def __init__(self, pack_bytes: int) -> None:
        self.pack_bytes = pack_bytes
        self.records: list[tuple[str, bytes, int]] = []

    def put(self, batch: list[StreamRecord]) -> list[str]:
        self.records += [(one.key, bytes(one.data), one.lines) for one in batch]
        return [""] * len(batch)


class KeptLog:
    """A prediction log, and what it sends and drops."""

    def __init__(self, pack_bytes: int = 10_000, limit: int = 100) -> None:
        self.stream, self.sent, self.dropped = KeptStream(pack_bytes), 0, 0
        self.log = PredictionLog(self.stream, MODEL, limit, self._count_sent, self._count_dropped)

    def _count_sent(self, count: int) -> None:
        self.sent += count

    def _count_dropped(self, count: int) -> None:
        self.dropped += count

    def records(self) -> list[tuple[str, bytes, int]]:
        """What was sent, after the end."""
        self.log.start()
        self.log.end(5)
        self.log.join()
        return self.stream.records


def predictions(count: int, **record: object) -> list[Prediction]:
    """Distinct predictions."""
    fields = {"text_length": 120.0, **record}
    return [Prediction(f"r-{number}", fields, 0.25 + number / 1000, 0, 1.5 + number) for number in range(count)]


@pytest.mark.parametrize("pack_bytes", [100, 300, 1_000, 10_000], ids=lambda size: f"records of {size} bytes")
@pytest.mark.parametrize("sizes", [(1,), (5,), (5, 1, 7), (20, 20)])
def test_the_records_are_as_full_as_one_by_one(sizes: Sequence[int], pack_bytes: int) -> None:
    """Lines have some 220 bytes; one that is longer than a record has a record of its own."""
    together, apart = KeptLog(pack_bytes), KeptLog(pack_bytes)
    parts = iter(predictions(sum(sizes)))
    for size in sizes:
        assert together.log.put_together(list(itertools.islice(parts, size)))
    for one in predictions(sum(sizes)):
        apart.log.put(one)
    found, expected = together.records(), apart.records()
    assert [(data, lines) for _, data, lines in found] == [(data, lines) for _, data, lines in expected]
    assert (together.sent, together.dropped) == (apart.sent, apart.dropped) == (sum(sizes), 0)
    assert all(data.count(b"\n") == lines for _, data, lines in found)


@pytest.mark.parametrize(
    ("log", "given"),
    [
        (KeptLog(pack_bytes=0), predictions(2)),
        (KeptLog(), predictions(2, text="x" * RECORD_BYTES)),
        (KeptLog(limit=4), predictions(5)),
        (KeptLog(), predictions(2, odd=object())),
        (KeptLog(), predictions(2, text="\ud800")),
        (KeptLog(), []),
    ],
    ids=["one line a record", "a line that may be too long", "too many lines", "an odd value", "no UTF-8", "nothing"],
)
def test_what_does_not_fit_is_not_added(log: KeptLog, given: list[Prediction]) -> None:
    assert not log.log.put_together(given)
    assert (log.records(), log.sent, log.dropped) == ([], 0, 0)
