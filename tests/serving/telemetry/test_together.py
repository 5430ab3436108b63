"""Events that are recorded together: the same as one by one, and a bad one spoils no other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving import clock
from serving.telemetry import access_log, emf
from serving.telemetry.line_buffer import LineBuffer
from serving.telemetry.metrics import Metrics
from serving.telemetry.packing import parts
from serving.telemetry.stages import ApartError, Stages
from tests.support.telemetry import MODEL, finished, health_check, samples

HEADER = b"Root=1-67891233-abcdef012345678912345678"
REQUESTS = [
    finished(),
    finished(ended=100.00001, caller="mobile", trace_header=HEADER),
    health_check(),
    finished(status=422, refusal="invalid", path="/pr\u00e9dict"),
    finished(status=503, refusal="overload", route="other", scores=False),
    finished(cache="hit", warnings=3),
    finished(cache="miss", ended=112.0),
]


def test_metrics_count_the_same_together_as_apart(metrics_folder: Path):
    together = Metrics(MODEL, 1.0)
    together.finished(*REQUESTS)
    together.predicted(0, 1, 1)
    once = samples(together.exposition()[0])
    apart = Metrics(MODEL, 1.0)  # writes to the same files, so everything is there twice
    for one in REQUESTS:
        apart.finished(one)
    for label in (0, 1, 1):
        apart.predicted(label)
    twice = samples(apart.exposition()[0])
    totals = {key: value for key, value in once.items() if key[0].endswith(("_total", "_bucket", "_count", "_sum"))}
    assert totals and {key: twice[key] for key in totals} == pytest.approx({k: 2 * v for k, v in totals.items()})


def test_a_window_counts_the_same_together_as_apart():
    together, apart = emf.Window(), emf.Window()
    together.finished(*REQUESTS)
    together.scored(0.0, 0.58, 0.999, 1.0)
    for one in REQUESTS:
        apart.finished(one)
    for score in (0.0, 0.58, 0.999, 1.0):
        apart.scored(score)
    assert together.take() == apart.take()


def test_what_cannot_be_counted_counts_nothing(metrics_folder: Path):
    bad = [finished(), finished(status="bad")]
    counted, window = Metrics(MODEL, 1.0), emf.Window()
    for stage in (counted.finished, window.finished):
        with pytest.raises(TypeError):
            stage(*bad)
    with pytest.raises(IndexError):
        counted.predicted(1, 7)
    seen = samples(counted.exposition()[0])
    assert not [key for key in seen if key[0] == "nightjar_requests_total"]
    assert seen["nightjar_predictions_total", "1"] == 0
    assert window.take()["Requests"] == 0


def test_access_lines_are_the_same_together_as_apart():
    apart = b"".join(access_log.line(one, one.ended + 1.7e9) for one in REQUESTS)
    assert access_log.lines(REQUESTS, 1.7e9) == apart
    assert apart.count(b"\n") == len(REQUESTS)


@given(st.lists(st.floats(1.6e9, 1.6e9 + 3), min_size=1))
def test_timestamps_are_the_same_together_as_apart(times: list[float]):
    assert clock.timestamps(times) == [clock.timestamp(one) for one in times]


@given(st.lists(st.integers(0, 30)), st.integers(-5, 60), st.integers(1, 40))
def test_parts_are_whole_lines_of_a_limited_size(lengths: list[int], room: int, size: int):
    lines = [b"x" * length + b"\n" for length in lengths]
    first, *others = parts(b"".join(lines), room, size)
    assert first + b"".join(others) == b"".join(lines)
    assert len(first) <= max(room, 0)
    assert all(part.endswith(b"\n") and (len(part) <= size or part.count(b"\n") == 1) for part in others)
    # No part has room for the first line of the next one.
    for part, after, limit in zip([first, *others], others, [room, *[size] * len(others)], strict=False):
        assert len(part) + after.index(b"\n") + 1 > limit


def test_lines_that_are_added_together_are_dropped_from_the_first_without_room(pipe: tuple[int, int]):
    dropped: list[None] = []
    lines = LineBuffer(5, pipe[1], lambda: dropped.append(None))
    lines.put(b"a\nb\nc\n", 3)
    lines.put(b"d\ne\nf\ng\n", 4)
    lines.put(b"h\ni\n", 2)
    lines.start()
    assert lines.stop(5)
    *written, report = os.read(pipe[0], 10_000).splitlines()
    assert written == [b"a", b"b", b"c", b"d", b"e"]
    assert len(dropped) == 4 and b'"dropped":4' in report


class Kept:
    """A stage that takes all events or, with ``bad`` among them, raises."""

    def __init__(self, bad: int) -> None:
        self.bad, self.taken = bad, list[int]()

    def __call__(self, *events: int) -> None:
        if self.bad in events:
            raise ValueError(self.bad)
        self.taken += events


@pytest.mark.parametrize(("bad", "failures"), [((9, 9, 9), 0), ((2, 9, 9), 1), ((2, 2, 2), 1), ((1, 2, 3), 3)])
def test_an_event_fails_once_and_alone(bad: Sequence[int], failures: int):
    failed: list[None] = []
    first, second, single = map(Kept, bad)
    Stages(lambda: failed.append(None)).record([1, 2, 3], [first, second], [single])
    for stage in (first, second, single):
        assert stage.taken == [number for number in (1, 2, 3) if number != stage.bad]
    assert len(failed) == failures


class Apart:
    """A stage that takes one event only."""

    def __init__(self, error: Exception) -> None:
        self.error, self.taken = error, list[int]()

    def __call__(self, *events: int) -> None:
        if len(events) > 1:
            raise self.error
        self.taken += events


@pytest.mark.parametrize(("error", "failures"), [(RuntimeError("of a batch only"), 1), (ApartError(), 0)])
def test_an_error_of_a_batch_only_is_a_failure_too(caplog: pytest.LogCaptureFixture, error: Exception, failures: int):
    failed: list[None] = []
    stages, stage = Stages(lambda: failed.append(None)), Apart(error)
    stages.record([1, 2, 3], [stage])
    assert stage.taken == [1, 2, 3] and len(failed) == failures
    stages.record([4, 5], [stage])
    assert stage.taken == [1, 2, 3, 4, 5] and len(failed) == 2 * failures
    logged = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert logged == [error] * failures


def test_a_line_without_its_newline_is_written_too(pipe: tuple[int, int]):
    lines = LineBuffer(100, pipe[1], lambda: None)
    lines.put(b"without " * 1000)
    lines.put(b"after\n")
    lines.start()
    assert lines.stop(5)
    os.set_blocking(pipe[0], False)
    assert os.read(pipe[0], 10_000) == b"without " * 1000 + b"after\n"
