from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from itertools import pairwise

import pytest

from serving.telemetry.line_buffer import CHUNK_BYTES, WRITES_EVERY_SECONDS, LineBuffer
from tests.support.telemetry import fill


class Dropped:
    """Counts dropped lines."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_lines_arrive_whole_and_in_order(pipe: tuple[int, int]):
    reading, writing = pipe
    lines = LineBuffer(1000, writing, Dropped())
    lines.start()
    for number in range(200):
        lines.put(b"%d\n" % number)
    assert lines.stop(60)
    assert os.read(reading, 100_000).split() == [b"%d" % number for number in range(200)]


def test_one_write_is_never_more_than_a_pipe_takes_in_one_piece(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch):
    written: list[bytes] = []

    def write(descriptor: int, chunk: bytes) -> int:
        written.append(bytes(chunk))
        return len(chunk)

    monkeypatch.setattr(os, "write", write)
    lines = LineBuffer(1000, pipe[1], Dropped())
    for number in range(100):
        lines.put(b"%0200d\n" % number)
    lines.start()
    assert lines.stop(60)
    assert len(written) > 1
    assert all(len(chunk) <= CHUNK_BYTES and chunk.endswith(b"\n") for chunk in written)


def test_what_comes_during_a_write_waits_for_the_next_time(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch):
    writes: list[float] = []

    def write(descriptor: int, chunk: bytes) -> int:
        writes.append(time.monotonic())
        if len(writes) < 4:
            lines.put(b"another\n")  # as requests do under load
        return len(chunk)

    monkeypatch.setattr(os, "write", write)
    lines = LineBuffer(1000, pipe[1], Dropped())
    lines.put(b"first\n")
    lines.start()
    end = time.monotonic() + 60
    while len(writes) < 4 and time.monotonic() < end:
        time.sleep(0.01)
    assert lines.stop(60)
    # The wait before the next time is never shorter; a busy machine only makes it longer.
    assert all(later - earlier > 0.9 * WRITES_EVERY_SECONDS for earlier, later in pairwise(writes))
    assert len(writes) == 4


def test_a_pipe_that_nobody_reads_delays_no_writer(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch):
    reading, writing = pipe
    fill(writing)
    begun, write = threading.Event(), os.write

    def noticed(descriptor: int, chunk: bytes) -> int:
        begun.set()
        return write(descriptor, chunk)

    monkeypatch.setattr(os, "write", noticed)
    dropped = Dropped()
    lines = LineBuffer(50, writing, dropped)
    lines.start()
    lines.put(b"first\n")
    assert begun.wait(60)  # the thread is in its write, or about to be: it has taken the line

    def write_many() -> None:
        for _ in range(500):
            lines.put(b"line\n")

    writer = threading.Thread(target=write_many, daemon=True)
    writer.start()
    writer.join(60)
    assert not writer.is_alive()
    assert dropped.count == 450
    assert not lines.stop(0.1)
    os.set_blocking(reading, False)
    text = b""
    end = time.monotonic() + 60
    while b"dropped" not in text and time.monotonic() < end:  # now somebody reads
        try:
            text += os.read(reading, 65536)
        except BlockingIOError:
            time.sleep(0.01)
    report = json.loads(text.splitlines()[-1])
    assert (report["level"], report["dropped"]) == ("WARNING", 450)


def test_dropped_lines_are_reported_once_a_second_at_most(pipe: tuple[int, int]):
    reading, writing = pipe
    lines = LineBuffer(1, writing, Dropped())
    for _ in range(5):
        lines.put(b"{}\n")
    for now, reports in ((100.0, 1), (100.9, 0), (101.0, 1)):
        lines.report_dropped(now)
        lines.put(b"{}\n")
        os.write(writing, b"end\n")
        assert os.read(reading, 10_000).count(b"\n") == reports + 1


def test_a_pipe_whose_reader_is_gone_only_drops_lines():
    reading, writing = os.pipe()
    os.close(reading)
    dropped = Dropped()
    lines = LineBuffer(10, writing, dropped)
    lines.start()
    lines.put(b"line\n")
    lines.put(b"line\n")
    assert lines.stop(60)
    assert dropped.count == 2
    os.close(writing)


def test_a_stdout_that_does_not_block_gets_every_line(pipe: tuple[int, int]):
    reading, writing = pipe
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, False)
    lines = LineBuffer(100, writing, Dropped())
    for number in range(100):
        lines.put(b"%0200d\n" % number)
    lines.start()
    text = b""
    while text.count(b"\n") < 100:
        text += os.read(reading, 1000)
    assert text.split() == [b"%0200d" % number for number in range(100)]
    assert lines.stop(60)
