"""Pages of ListObjects, ListObjectsV2, ListObjectVersions and ListMultipartUploads, read in the order of the index.

A page costs as many index steps as it has entries: keys below a common prefix are stepped over, never read one by one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from infra.localcloud.s3.store import Bucket, Row

LISTED = (
    "SELECT key, version, marker, latest, size, etag, modified, class, detail, id FROM object"
    " WHERE bucket = ? AND latest = 1 AND marker = 0 AND key >= ? ORDER BY key LIMIT ?"
)
VERSIONS = (
    "SELECT key, version, marker, latest, size, etag, modified, class, detail, id FROM object"
    " WHERE bucket = ? AND key >= ? ORDER BY key, id DESC LIMIT ?"
)
_VERSIONS_AFTER = (
    "SELECT key, version, marker, latest, size, etag, modified, class, detail, id FROM object"
    " WHERE bucket = ? AND key = ? AND id < ? ORDER BY id DESC"
)
_UPLOADS = "SELECT * FROM upload WHERE bucket = ? AND key >= ? ORDER BY key, id"
_BATCH = 250


@dataclass
class Page:
    """One page.

    Attributes:
        rows: The entries, in order.
        prefixes: The common prefixes, in order.
        truncated: More follows.
        last: The last key or common prefix of the page, as bytes.
        last_row: The last entry if the page ends with one and not with a prefix.
    """

    rows: list[Row] = field(default_factory=list)
    prefixes: list[bytes] = field(default_factory=list)
    truncated: bool = False
    last: bytes = b""
    last_row: Row | None = None


def successor(prefix: bytes) -> bytes | None:
    """The lowest text above every text with this prefix; None if there is none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None


def objects(
    db: sqlite3.Connection, bucket: Bucket, prefix: bytes, delimiter: bytes, after: bytes | None, limit: int
) -> Page:
    """A page of current objects.

    Args:
        db: A reader.
        bucket: The bucket.
        prefix: Only keys that begin so.
        delimiter: Groups keys by what stands between prefix and delimiter; may be empty.
        after: Only keys and common prefixes above this one; None for all.
        limit: The number of entries and common prefixes.
    """

    def fetch(start: bytes, size: int) -> list[Row]:
        return db.execute(LISTED, (bucket.id, start, size)).fetchall()

    return _page(fetch, prefix, delimiter, _start(prefix, delimiter, after), limit)


def versions(
    db: sqlite3.Connection,
    bucket: Bucket,
    prefix: bytes,
    delimiter: bytes,
    key_marker: bytes | None,
    version_marker: int | None,
    limit: int,
) -> Page:
    """A page of versions and delete markers, newest first within a key.

    Args:
        db: A reader.
        bucket: The bucket.
        prefix: Only keys that begin so.
        delimiter: Groups keys by what stands between prefix and delimiter; may be empty.
        key_marker: The page begins after this key or common prefix.
        version_marker: Or within that key, after the version with this row id.
        limit: The number of entries and common prefixes.
    """
    rest: list[Row] = []
    if key_marker is not None and version_marker is not None:
        rest = db.execute(_VERSIONS_AFTER, (bucket.id, key_marker, version_marker)).fetchall()

    def fetch(start: bytes, size: int) -> list[Row]:
        rows = db.execute(VERSIONS, (bucket.id, start, size)).fetchall()
        # The step after a batch goes to the next key, so the batch must end with all versions of its last key.
        while len(rows) == size and rows[0]["key"] == rows[-1]["key"]:
            size *= 4
            rows = db.execute(VERSIONS, (bucket.id, start, size)).fetchall()
        if len(rows) == size:
            last = rows[-1]["key"]
            rows = [row for row in rows if row["key"] != last]
        return rows

    return _page(fetch, prefix, delimiter, _start(prefix, delimiter, key_marker), limit, rest)


def uploads(
    db: sqlite3.Connection,
    bucket: Bucket,
    prefix: bytes,
    delimiter: bytes,
    after: bytes | None,
    id_marker: str,
    limit: int,
) -> Page:
    """A page of unfinished multipart uploads; ``after`` and ``id_marker`` are where the page before ended."""
    rest: list[Row] = []
    if after is not None and id_marker:
        rest = db.execute(
            "SELECT * FROM upload WHERE bucket = ? AND key = ? AND id > ? ORDER BY id", (bucket.id, after, id_marker)
        ).fetchall()

    def fetch(start: bytes, size: int) -> list[Row]:
        return db.execute(_UPLOADS, (bucket.id, start)).fetchall()

    return _page(fetch, prefix, delimiter, _start(prefix, delimiter, after), limit, rest)


def _start(prefix: bytes, delimiter: bytes, after: bytes | None) -> bytes | None:
    """The first key that the page may have; None if nothing can follow."""
    if after is None or after < prefix:
        return prefix
    end = after.find(delimiter, len(prefix)) if delimiter and after.startswith(prefix) else -1
    if end >= 0:  # the common prefix of that key is not above it
        return successor(after[: end + len(delimiter)])
    return after + b"\0"


def _page(
    fetch: Callable[[bytes, int], list[Row]],
    prefix: bytes,
    delimiter: bytes,
    start: bytes | None,
    limit: int,
    rest: list[Row] | None = None,
) -> Page:
    page = Page()
    if limit == 0:
        return page
    for name, row in _entries(fetch, prefix, delimiter, start, limit, rest or []):
        if len(page.rows) + len(page.prefixes) == limit:
            page.truncated = True
            break
        page.last, page.last_row = name, row
        if row is None:
            page.prefixes.append(name)
        else:
            page.rows.append(row)
    return page


def _entries(
    fetch: Callable[[bytes, int], list[Row]],
    prefix: bytes,
    delimiter: bytes,
    start: bytes | None,
    limit: int,
    rest: list[Row],
) -> Iterator[tuple[bytes, Row | None]]:
    """Yields keys with their rows, and common prefixes without."""
    for row in rest:
        if row["key"].startswith(prefix):
            yield row["key"], row
    size = min(limit + 1, 1001) if not delimiter else min(limit + 1, _BATCH)
    while start is not None:
        rows = fetch(start, size)
        if not rows:
            return
        after: bytes | None = None
        skipped = b""
        for row in rows:
            key: bytes = row["key"]
            if not key.startswith(prefix):
                return
            if skipped and key.startswith(skipped):
                continue
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            if end < 0:
                skipped, after = b"", key + b"\0"
                yield key, row
            else:
                skipped = key[: end + len(delimiter)]
                after = successor(skipped)
                yield skipped, None
        start = after
