from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.lake.instants import parse_instant
from include.training import data
from include.training.container import JobError

TABLE = pa.table(
    {
        "key": ["b", "a", "c", "d"],
        "event_time": pa.array([2, 1, 1, 3], pa.timestamp("s", "UTC")),
        "label": [0, 1, 0, 1],
        "f_size": [1.5, None, 3.0, 4.0],
        "f_colour": ["red", "blue", None, "red"],
        "size": [1, None, 3, 4],
    }
)
KINDS = {"size": "number", "colour": "category"}


def test_the_order_of_rows_does_not_depend_on_the_files(tmp_path):
    (tmp_path / "deep").mkdir()
    pq.write_table(TABLE[:2], tmp_path / "deep/z")
    pq.write_table(TABLE[2:], tmp_path / "a.parquet")
    (tmp_path / "_SUCCESS").touch()
    assert data.keys(data.read_split(tmp_path)) == ["a", "c", "b", "d"]


def test_matrix_codes_and_records():
    categories = data.vocabulary(TABLE, KINDS, limit=250)
    assert categories == {"colour": ["blue", "red"]}
    expected = [[1.5, 1], [np.nan, 0], [3, np.nan], [4, 1]]
    np.testing.assert_equal(data.matrix(TABLE, KINDS, categories), np.array(expected))
    np.testing.assert_equal(data.matrix(TABLE, KINDS, {"colour": ["red"]})[:, 1], [0, np.nan, np.nan, 0])
    assert data.vocabulary(TABLE, KINDS, limit=1) == {"colour": ["red"]}
    records = data.records(TABLE, ["size", "event_time"])
    assert records[1] == {"size": None, "event_time": "1970-01-01T00:00:01.000000Z"}


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_timestamps_of_every_unit(unit, tmp_path):
    """Athena writes timestamps as INT96, which are read as nanoseconds without a time zone."""
    times = pa.array([1_000, 2_000], pa.timestamp("ms")).cast(pa.timestamp(unit))
    pq.write_table(pa.table({"key": ["a", "b"], "event_time": times, "label": [0, 1]}), tmp_path / "a")
    split = data.read_split(tmp_path)
    assert [parse_instant(record["event_time"]).timestamp() for record in data.records(split, ["event_time"])] == [1, 2]


@pytest.mark.parametrize(
    ("labels", "reason"),
    [([0, 1, None, 1], "1 rows have no label"), ([0, 1, 2, 1], "0 or 1"), ([1] * 4, "All 4 labels are 1")],
)
def test_wrong_labels(labels, reason):
    with pytest.raises(JobError, match=reason):
        data.labels(TABLE.set_column(2, "label", pa.array(labels)))


def test_an_empty_split_and_a_missing_column_are_named(tmp_path):
    with pytest.raises(JobError, match="contains no Parquet file"):
        data.read_split(tmp_path)
    pq.write_table(TABLE.drop_columns("label"), tmp_path / "a")
    with pytest.raises(JobError, match="lacks the columns label"):
        data.read_split(tmp_path)
    with pytest.raises(JobError, match="lacks the column f_weight"):
        data.matrix(TABLE, {"weight": "number"}, {})
