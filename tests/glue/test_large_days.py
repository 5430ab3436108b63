"""A large day is read in parts that leave memory for whole columns beside them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from include.glue.day_rows import CHUNK_ROWS, PARTS, DayRows


def test_the_parts_of_a_large_day_are_a_fraction_of_what_is_read_at_once(tmp_path: Path) -> None:
    rows = CHUNK_ROWS + 1
    pq.write_table(pa.table({"number": pa.array(range(rows))}), tmp_path / "day.parquet")
    day = DayRows([pq.ParquetFile(tmp_path / "day.parquet")])
    sizes = [len(part) for part in day.parts(["number"])]
    day.close()
    assert day.is_large
    assert sum(sizes) == rows
    assert max(sizes) == CHUNK_ROWS // PARTS
