"""Where a statement writes its rows, and in which format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The format of written files.

    Attributes:
        format: PARQUET, TEXTFILE or JSON.
        compression: DuckDB's name of a Parquet compression; gzip, zstd or none for the others.
        delimiter: Between the fields of TEXTFILE.
        null: Null in TEXTFILE.
    """

    format: str = "PARQUET"
    compression: str = "gzip"
    delimiter: str = "\x01"
    null: str = "\\N"


@dataclass(frozen=True)
class Target:
    """Where rows are written, and how.

    Attributes:
        location: The S3 folder.
        layout: The format and compression of the files.
        partitioned: The partition columns in small letters.
        work: A local folder for the files before they are uploaded.
        query_id: The query's id; the names of the files have a part of it.
    """

    location: str
    layout: Layout
    partitioned: list[str]
    work: Path
    query_id: str
