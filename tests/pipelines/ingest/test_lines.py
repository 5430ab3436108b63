"""Lines in a gzip stream."""

from __future__ import annotations

import gzip

import pytest

from include.pipelines.ingest.lines import GzipLines, json_line


def test_the_same_lines_are_the_same_bytes() -> None:
    bodies = []
    for _ in range(2):
        lines = GzipLines()
        lines.add("{}")
        bodies.append(lines.finish().read())
    assert bodies[0] == bodies[1]
    assert bodies[0][4:8] == b"\0\0\0\0", "gzip has a time stamp"
    assert gzip.decompress(bodies[0]) == b"{}\n"


def test_lines_and_bytes_are_counted() -> None:
    lines = GzipLines()
    lines.add("é")
    assert (lines.lines, lines.bytes) == (1, 3)


def test_a_line_is_strict_json() -> None:
    assert json_line({"a": [1, "é"]}) == '{"a":[1,"\\u00e9"]}'
    with pytest.raises(ValueError, match="JSON compliant"):
        json_line(float("nan"))
