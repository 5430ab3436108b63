"""The staged rows of one day of one event type, read by column, so that a large day need not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.glue.storage import join_uri, list_uris, open_file
from include.workloads.schema import PARTITION_COLUMN

CHUNK_ROWS = 250_000
"""A day with more rows is read column by column, and a frame of several columns has at most so many rows."""
PARTS = 3
"""A part of such a day has so many times fewer rows, because whole columns of the day need memory beside it."""


class DayRows:
    """The rows of one day.

    Args:
        files: The Parquet files of the day. A small day is read at once; the files of a large one stay open.
    """

    def __init__(self, files: Sequence[pq.ParquetFile]) -> None:
        self.rows = sum(file.metadata.num_rows for file in files)
        self.schema: pa.Schema = files[0].schema_arrow if files else pa.schema([])
        self.names: list[str] = self.schema.names
        """The names of the columns; none without files."""
        self._files = files
        self._whole: pa.Table | None = None
        if files and not self.is_large:
            self._whole = pa.concat_tables([file.read(use_threads=False) for file in files])
            self.close()

    def close(self) -> None:
        """Closes the files."""
        for file in self._files:
            file.close(force=True)

    @property
    def is_large(self) -> bool:
        """Whether the day is read in parts."""
        return self.rows > CHUNK_ROWS

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Reads all rows of some columns."""
        if self._whole is not None:
            return self._whole.select(columns)
        return pa.concat_tables([file.read(columns=list(columns)) for file in self._files])

    def frame(self, columns: Sequence[str]) -> pd.DataFrame:
        """Reads all rows of some columns."""
        return self.table(columns).to_pandas(use_threads=self.is_large)

    def parts(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Reads some columns; of a large day only some of the rows at a time."""
        if self._whole is not None:
            yield self.table(columns)
            return
        for file in self._files:
            for batch in file.iter_batches(CHUNK_ROWS // PARTS, columns=list(columns)):
                yield pa.Table.from_batches([batch])
        # Arrow keeps what it has freed; the next step reads other columns, of other sizes.
        pa.default_memory_pool().release_unused()

    def all_null(self, column: str) -> bool:
        """Whether a column has no value; NaN is none."""
        return all(pc.all(pc.is_null(part.column(0), nan_is_null=True)).as_py() for part in self.parts([column]))

    def repeated(self, columns: Sequence[str]) -> int:
        """Counts the rows that repeat the columns of a row before them.

        Of a large day, only rows with equal hashes are compared, so that its columns are never held at once.
        """
        if not self.is_large:
            distinct = _positive_zeros(self.table(columns)).group_by(list(columns), use_threads=False).aggregate([])
            return self.rows - distinct.num_rows

        def parts() -> Iterator[pa.Table]:
            return map(_positive_zeros, self.parts(columns))

        found = np.concatenate([_hashes(part) for part in parts()])
        values, counts = np.unique(found, return_counts=True)
        suspects = values[counts > 1]
        if not len(suspects):
            return 0
        rows = [part.filter(pa.array(np.isin(_hashes(part), suspects))) for part in parts()]
        return int(pa.concat_tables(rows).to_pandas().duplicated().sum())


def _positive_zeros(rows: pa.Table) -> pa.Table:
    """The rows with 0.0 in place of -0.0, which is equal to it and has another hash."""
    for number, field in enumerate(rows.schema):
        if pa.types.is_floating(field.type):
            rows = rows.set_column(number, field, pc.add(rows.column(number), pa.scalar(0.0, field.type)))
    return rows


def read_day(staging: str, event_type: str, day: date) -> DayRows:
    """Opens the rows of one day of one event type below a staging prefix."""
    prefix = join_uri(staging, event_type, f"{PARTITION_COLUMN[0]}={day}")
    return DayRows([pq.ParquetFile(open_file(uri)) for uri in list_uris(prefix, ".parquet")])


def _hashes(part: pa.Table) -> np.ndarray:
    # In a part with a null, pandas makes floats of integers and objects of booleans, and hashes them otherwise.
    columns = [column.cast(pa.string()) if _varies(column.type) else column for column in part.columns]
    frame = pa.table(columns, names=part.column_names).to_pandas()
    return pd.util.hash_pandas_object(frame, index=False).to_numpy()


def _varies(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_boolean(kind)
