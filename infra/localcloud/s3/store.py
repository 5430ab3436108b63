"""S3's state on disk: the index and the bodies under one folder, and transactions over both."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.localcloud.s3.bodies import Bodies
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.index import Index

# The columns of a row of table object or part are its attributes.
Row = sqlite3.Row


@dataclass(frozen=True)
class Bucket:
    """A bucket as the index has it."""

    id: int
    name: str
    account: str
    region: str
    created: int
    versioning: str
    object_lock: bool

    @property
    def arn(self) -> str:
        """The bucket's ARN."""
        return f"arn:aws:s3:::{self.name}"


@dataclass(frozen=True)
class Change:
    """An object that a transaction made or deleted.

    Attributes:
        bucket: Its bucket.
        key: Its key.
        version: The version that was made or deleted, or "" in a bucket that never had versions.
        reason: The operation, as S3's events name it.
        size: Bytes; None if it was deleted.
        etag: Its ETag; empty if it was deleted.
        deletion: How it was deleted, as S3's events say it; empty if it was made.
    """

    bucket: Bucket
    key: str
    version: str
    reason: str
    size: int | None = None
    etag: str = ""
    deletion: str = ""


class Transaction:
    """One write to the index, with the bodies that it makes superfluous and the objects that it changes."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.changes: list[Change] = []
        self._released: set[str] = set()

    def release(self, body: str | None) -> None:
        """Says that one row no longer names a body."""
        if body:
            self._released.add(body)

    def garbage(self) -> list[str]:
        """The released bodies that no row names any more."""
        named = "SELECT EXISTS (SELECT 1 FROM object WHERE body = ?) OR EXISTS (SELECT 1 FROM part WHERE body = ?)"
        return [body for body in self._released if not self.db.execute(named, (body, body)).fetchone()[0]]


class Store:
    """Everything that S3 keeps. Safe under threads; opening it removes what unfinished writes left."""

    def __init__(self, folder: Path) -> None:
        """Opens the folder, or makes it.

        Raises:
            StoreError: What is stored there cannot be used.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        self.index = Index(folder / "index.db")
        self.bodies = Bodies(folder / "bodies")
        self._observer: Callable[[list[Change]], None] = lambda _: None
        with self.index.read() as db:
            named = {row[0] for row in db.execute("SELECT body FROM object WHERE body IS NOT NULL")}
            named |= {row[0] for row in db.execute("SELECT body FROM part")}
        self.bodies.sweep(named)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One durable transaction. Bodies that nothing names afterwards are removed after the commit."""
        with self.index.write() as db:
            transaction = Transaction(db)
            yield transaction
            garbage = transaction.garbage()
        self.bodies.delete(garbage)
        if transaction.changes:
            self._observer(transaction.changes)

    def observe(self, observer: Callable[[list[Change]], None]) -> None:
        """Calls a function with the changes of each transaction: after its commit, and before the client's answer."""
        self._observer = observer

    def bucket(self, name: str, db: sqlite3.Connection | None = None) -> Bucket:
        """Finds a bucket.

        Args:
            name: Its name.
            db: The connection of a transaction; by default a reader's.

        Raises:
            S3Error: There is no such bucket.
        """
        if db is None:
            with self.index.read() as reader:
                return self.bucket(name, reader)
        row = db.execute("SELECT * FROM bucket WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise S3Error("NoSuchBucket", BucketName=name)
        return _bucket(row)

    def buckets(self) -> list[Bucket]:
        """All buckets, by name."""
        with self.index.read() as db:
            return [_bucket(row) for row in db.execute("SELECT * FROM bucket ORDER BY name")]

    def setting(self, bucket: Bucket, name: str, id_: str = "") -> Any:
        """A setting of a bucket as it was put; None if there is none."""
        with self.index.read() as db:
            return read_setting(db, bucket, name, id_)

    def put_setting(self, bucket: str, name: str, value: Any, id_: str = "") -> None:
        """Sets or (with None) deletes a setting of a bucket.

        Raises:
            S3Error: There is no such bucket.
        """
        with self.write() as transaction:
            found = self.bucket(bucket, transaction.db)
            write_setting(transaction.db, found, name, value, id_)


def _bucket(row: Row) -> Bucket:
    return Bucket(
        row["id"],
        row["name"],
        row["account"],
        row["region"],
        row["created"],
        row["versioning"],
        bool(row["object_lock"]),
    )


def read_setting(db: sqlite3.Connection, bucket: Bucket, name: str, id_: str = "") -> Any:
    """A setting of a bucket as it was put; None if there is none."""
    row = db.execute(
        "SELECT value FROM setting WHERE bucket = ? AND name = ? AND id = ?", (bucket.id, name, id_)
    ).fetchone()
    return None if row is None else json.loads(row[0])


def write_setting(db: sqlite3.Connection, bucket: Bucket, name: str, value: Any, id_: str = "") -> None:
    """Sets or (with None) deletes a setting of a bucket."""
    if value is None:
        db.execute("DELETE FROM setting WHERE bucket = ? AND name = ? AND id = ?", (bucket.id, name, id_))
    else:
        db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?, ?, ?)", (bucket.id, name, id_, json.dumps(value)))


def now() -> int:
    """The time in milliseconds."""
    return int(time.time() * 1000)
