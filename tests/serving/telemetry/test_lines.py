from __future__ import annotations

import fcntl
import json
import os
import threading
import time

from serving.telemetry.lines import CHUNK_BYTES, Lines


def fill(descriptor: int) -> None:
    """Writes until the pipe takes no more."""
    os.set_blocking(descriptor, False)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(descriptor, True)


def test_lines_arrive_whole_and_in_order(pipe: tuple[int, int]):
    reading, writing = pipe
    lines = Lines(1000, writing, lambda: None)
    lines.start()
    for number in range(200):
        lines.put(b"%d\n" % number)
    assert lines.stop(5)
    assert os.read(reading, 100_000).split() == [b"%d" % number for number in range(200)]


def test_one_write_is_never_more_than_a_pipe_takes_in_one_piece(pipe: tuple[int, int], monkeypatch):
    written = []
    monkeypatch.setattr(os, "write", lambda descriptor, chunk: written.append(bytes(chunk)) or len(chunk))
    lines = Lines(1000, pipe[1], lambda: None)
    for number in range(100):
        lines.put(b"%0200d\n" % number)
    lines.start()
    assert lines.stop(5)
    assert len(written) > 1
    assert all(len(chunk) <= CHUNK_BYTES and chunk.endswith(b"\n") for chunk in written)


def test_a_pipe_that_nobody_reads_holds_up_no_one(pipe: tuple[int, int]):
    reading, writing = pipe
    fill(writing)
    dropped = []
    lines = Lines(50, writing, lambda: dropped.append(1))
    lines.start()
    lines.put(b"first\n")
    time.sleep(0.5)  # the thread is in its write now
    offering = threading.Thread(target=lambda: [lines.put(b"line\n") for _ in range(500)], daemon=True)
    offering.start()
    offering.join(5)
    assert not offering.is_alive()
    assert len(dropped) == 450
    assert not lines.stop(0.1)
    os.set_blocking(reading, False)
    text = b""
    end = time.monotonic() + 10
    while b"dropped" not in text and time.monotonic() < end:  # now somebody reads
        try:
            text += os.read(reading, 65536)
        except BlockingIOError:
            time.sleep(0.01)
    report = json.loads(text.splitlines()[-1])
    assert (report["level"], report["dropped"]) == ("WARNING", 450)


def test_dropped_lines_are_reported_once_a_second_at_most(pipe: tuple[int, int]):
    reading, writing = pipe
    lines = Lines(1, writing, lambda: None)
    for _ in range(5):
        lines.put(b"{}\n")
    lines._report()
    lines.put(b"{}\n")
    lines._report()
    assert os.read(reading, 10_000).count(b"\n") == 1


def test_a_pipe_whose_reader_is_gone_costs_lines_only():
    reading, writing = os.pipe()
    os.close(reading)
    dropped = []
    lines = Lines(10, writing, lambda: dropped.append(1))
    lines.start()
    lines.put(b"line\n")
    lines.put(b"line\n")
    assert lines.stop(5)
    assert len(dropped) == 2
    os.close(writing)


def test_a_stdout_that_does_not_block_gets_every_line(pipe: tuple[int, int]):
    reading, writing = pipe
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, False)
    lines = Lines(100, writing, lambda: None)
    for number in range(100):
        lines.put(b"%0200d\n" % number)
    lines.start()
    text = b""
    while text.count(b"\n") < 100:
        text += os.read(reading, 1000)
    assert text.split() == [b"%0200d" % number for number in range(100)]
    assert lines.stop(5)
