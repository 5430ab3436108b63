"""What became of dropped files, and how people are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, TypedDict

from include.errors import NothingToDoError, RefusedError

Status = Literal["ingested", "repeated", "refused"]


class FileRefusedError(RefusedError):
    """A dropped file is refused as a whole. The text gives the reason."""


class FileOutcome(TypedDict):
    """What became of one dropped file."""

    file: str
    """Its key in the lake bucket."""
    status: Status
    """repeated: a message of a version that is in raw already."""
    records: int
    quarantined: int
    reason: str
    """Why it was refused; else empty."""


def outcome(file: str, status: Status, records: int = 0, quarantined: int = 0, reason: str = "") -> FileOutcome:
    """Makes the outcome of a file; its fields are those of :class:`FileOutcome`."""
    return {"file": file, "status": status, "records": records, "quarantined": quarantined, "reason": reason}


def summary(outcomes: Sequence[FileOutcome]) -> str:
    """Returns what became of the files, in a sentence for people."""
    count = Counter(one["status"] for one in outcomes)
    records, refused = (sum(one[name] for one in outcomes) for name in ("records", "quarantined"))
    return (
        f"{count['ingested']} files ingested with {records} events ({refused} rows quarantined), "
        f"{count['refused']} refused, {count['repeated']} already in raw"
    )


def warnings(outcomes: Sequence[FileOutcome]) -> list[str]:
    """Returns a line for people for each file that was refused, or of which rows were."""
    lines = []
    for one in outcomes:
        if one["status"] == "refused":
            lines.append(f"{one['file']} was refused: {one['reason']}")
        elif one["quarantined"]:
            rows = one["records"] + one["quarantined"]
            lines.append(f"{one['file']}: {one['quarantined']} of {rows} rows are no events, in quarantine")
    return lines


def require_new(outcomes: Sequence[FileOutcome]) -> None:
    """Checks that a file got into raw.

    Raises:
        NothingToDoError: None did.
    """
    if not any(one["status"] == "ingested" for one in outcomes):
        raise NothingToDoError("No file got into raw: there is nothing to announce.")
