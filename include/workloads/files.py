"""Files that a workload accepts: which names, in which format, and which event each of their rows becomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from include.workloads.strict import StrictModel
from include.workloads.suggestions import did_you_mean

FILES_SOURCE = "files"
"""The source of dropped files in the raw zone, as a stream or a table is one by its own name."""
KEY, EVENT_TIME, RECORDED_AT = "key", "event_time", "recorded_at"
ENVELOPE = (KEY, EVENT_TIME, RECORDED_AT)
"""What every event has besides its payload; recorded_at may be missing in a file with columns."""

Column = Annotated[str, StringConstraints(min_length=1)]


class FileSpec(StrictModel):
    """One kind of dropped file."""

    match: str = Field(
        pattern=r"^[^/].*$",
        description="names below drops/<workload>/, like landed/*.csv; * and ? are wildcards, * also for a slash",
    )
    format: Literal["csv", "json_lines", "parquet"] = Field(
        description="csv: a header, then a row for each event; json_lines: an event on each line, as on the stream; "
        "parquet: a row for each event"
    )
    event: str | None = Field(None, description="csv, parquet: the event type that each row becomes")
    columns: dict[str, Column] = Field(
        default_factory=dict,
        description="csv, parquet: key, event_time, recorded_at or field: the column in the file, where they differ",
    )
    ignore: tuple[Column, ...] = Field((), description="csv, parquet: columns of the file that are not used")
    delimiter: Literal[",", ";", "\t", "|"] = Field(",", description="csv: what separates the columns")
    max_megabytes: int = Field(256, ge=1, le=2048, description="a larger file is refused")

    @model_validator(mode="after")
    def _fits_the_format(self) -> FileSpec:
        given = {name for name in ("event", "columns", "ignore", "delimiter") if name in self.model_fields_set}
        if self.format == "json_lines" and given:
            raise ValueError(f"{', '.join(sorted(given))}: is for files with columns; a JSON line is a complete event")
        if self.format != "json_lines" and self.event is None:
            raise ValueError("event is missing: a row of a file with columns does not say which event it is")
        if self.format == "parquet" and "delimiter" in given:
            raise ValueError("delimiter: is for csv only")
        return self

    def accepts(self, name: str) -> bool:
        """Whether a file of this name, below the workload's prefix, is of this kind."""
        return fnmatchcase(name, self.match)

    def column(self, field: str) -> str:
        """Returns the column of a field of the event."""
        return self.columns.get(field, field)


def accepting(files: Mapping[str, FileSpec], name: str) -> FileSpec | None:
    """Returns the first kind that accepts a name; None if no kind does."""
    return next((spec for spec in files.values() if spec.accepts(name)), None)


def file_problems(files: Mapping[str, FileSpec], events: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yields the field and the text of each contradiction between the kinds of files and the fields of the events."""
    for name, spec in files.items():
        if spec.event is None:
            continue
        if spec.event not in events:
            yield (
                f"files.{name}.event",
                f"{spec.event} is not an event of this workload{did_you_mean(spec.event, events)}",
            )
            continue
        known = (*ENVELOPE, *events[spec.event])
        for field in spec.columns:
            if field not in known:
                text = f"is neither {', '.join(ENVELOPE)} nor a field of {spec.event}{did_you_mean(field, known)}"
                yield f"files.{name}.columns.{field}", text
        read = [spec.column(field) for field in known]
        for column in sorted({column for column in read if read.count(column) > 1}):
            yield f"files.{name}.columns", f"the column {column} is read as several fields"
        for column in spec.ignore:
            if column in read:
                yield f"files.{name}.ignore", f"{column} is the column of a field, so it cannot be left out"
