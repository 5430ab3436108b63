"""Raw objects are read whole, in their order; and only so much is held as a limit allows."""

from __future__ import annotations

import gzip
from pathlib import Path

from include.glue.reading import lines, read_within
from include.glue.tables import read_tables
from tests.support.raw_objects import maker
from tests.support.tiny_workload import tiny_workload

SINCE = "2013-02-01T00:00:00Z"


def put(folder: Path, name: str, content: bytes) -> str:
    """Writes a raw object; returns its URI."""
    (folder / name).write_bytes(gzip.compress(content))
    return f"file://{folder / name}"


def test_lines_come_in_the_order_of_the_objects_and_keep_what_is_no_utf_8(tmp_path: Path) -> None:
    uris = [put(tmp_path, f"{n:02}.gz", f"{n}\r\nnext\n".encode()) for n in range(20)]
    uris.append(put(tmp_path, "last.gz", b"\n\xff\xe2\x80\xa8 end"))
    found = list(lines(uris))
    assert found[:-2] == [text for n in range(20) for text in (str(n), "next")]
    assert found[-2:] == ["", "\ufffd\u2028 end"], "a line ends where a file's does, not at every separator of Unicode"


def test_objects_are_held_up_to_a_limit(tmp_path: Path) -> None:
    uris = [put(tmp_path, f"{n}.gz", b"x" * n) for n in range(12)]
    contents = read_within(uris, 10_000)
    assert contents is not None and [gzip.decompress(contents[uri]) for uri in uris] == [b"x" * n for n in range(12)]
    size = sum(map(len, contents.values()))
    assert read_within(uris, size) == contents and read_within(uris, size - 1) is None
    assert read_within([], 0) == {}


def test_objects_with_far_more_text_than_bytes_are_not_held(tmp_path: Path) -> None:
    assert read_within([put(tmp_path, "ordinary.gz", b"x" * 100_000)], 10_000) is not None
    assert read_within([put(tmp_path, "repeated.gz", b"x" * 400_000)], 10_000) is None


def test_tables_are_held_up_to_a_limit(tmp_path: Path) -> None:
    workload = tiny_workload(tmp_path / "workloads")
    rows = [maker("a", SINCE, SINCE, "good"), maker("b", SINCE, SINCE, 7), "no JSON"]
    uris = {"makers": [put(tmp_path, "makers.gz", "\n".join(rows).encode())]}
    tables = read_tables(workload, uris, 3)
    assert tables is not None
    assert [row.reason for row in tables["makers"].good] == [None]
    assert [row.reason for row in tables["makers"].refused] == ["name: is not a string", "row: is not an object"]
    assert read_tables(workload, uris, 2) is None
