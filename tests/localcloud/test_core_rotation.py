"""Rotating files: bounded, no line torn or lost but the oldest, and readers see every line once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.localcloud.rotation import RotatingFile, read_lines


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "requests.jsonl"


def files(file: Path) -> list[Path]:
    return sorted(file.parent.iterdir())


def test_the_size_is_bounded_and_the_newest_lines_stay(file: Path) -> None:
    rotating = RotatingFile(file, limit=100, keep=3)
    for number in range(1000):
        rotating.write(b"line %06d\n" % number)
    assert [path.name for path in files(file)] == [file.name, *(f"{file.name}.{n}" for n in (1, 2, 3))]
    assert all(path.stat().st_size <= 100 for path in files(file))
    numbers = [int(line.split()[1]) for line in read_lines(file)]
    assert numbers == list(range(1000 - len(numbers), 1000)) and len(numbers) > 25


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(1, 50), st.integers(50, 150))
@settings(deadline=None, max_examples=200)
def test_lines_that_arrive_in_pieces_are_never_split_between_files(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], piece: int, limit: int
) -> None:
    file = tmp_path_factory.mktemp("rotation") / "a.log"
    lines = [b"%03d" % number + b"x" * length + b"\n" for number, length in enumerate(lengths)]
    text = b"".join(lines)
    rotating = RotatingFile(file, limit=limit, keep=1000)
    for start in range(0, len(text), piece):
        rotating.write(text[start : start + piece])
    assert list(read_lines(file)) == lines
    for path in files(file):
        assert path.read_bytes().endswith(b"\n")


def test_a_line_without_an_end_is_cut(file: Path) -> None:
    rotating = RotatingFile(file, limit=100, keep=2)
    for _ in range(100):
        rotating.write(b"x" * 50)
    assert sum(path.stat().st_size for path in files(file)) <= 3 * 300


def test_a_torn_line_does_not_spoil_the_next(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b'{"a": 1}\n{"a": ')
    RotatingFile(file).write(b'{"a": 2}\n')
    assert list(read_lines(file)) == [b'{"a": 1}\n', b'{"a": \n', b'{"a": 2}\n']


def test_a_reader_misses_no_line_and_sees_none_twice_while_files_are_rotated(file: Path) -> None:
    rotating = RotatingFile(file, limit=2000, keep=10_000)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            rotating.write(b"%09d\n" % number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(files(file)) < 20:
            numbers = [int(line) for line in read_lines(file) if line.endswith(b"\n")]
            assert numbers == list(range(len(numbers)))
    finally:
        stop.set()
        writer.join()


def test_a_file_that_does_not_exist_is_an_error(file: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_lines(file))
