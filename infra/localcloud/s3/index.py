"""The index of S3's state in SQLite: buckets, settings, versions of objects, multipart uploads and their parts.

A write is one transaction under one lock, and its commit reaches the disk before the answer goes out. Readers use
connections of their own and never wait for a writer.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.localcloud.s3.errors import StoreError

VERSION = 1
_IDLE_CONNECTIONS = 16
_SCHEMA = """
CREATE TABLE bucket (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    created INTEGER NOT NULL,
    versioning TEXT NOT NULL DEFAULT '',
    object_lock INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE setting (
    bucket INTEGER NOT NULL REFERENCES bucket ON DELETE CASCADE,
    name TEXT NOT NULL,
    id TEXT NOT NULL DEFAULT '',
    value TEXT NOT NULL,
    PRIMARY KEY (bucket, name, id)
) WITHOUT ROWID;
-- A version of an object, or a delete marker. Rows of a key are ordered by id: the highest is the current version.
CREATE TABLE object (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket INTEGER NOT NULL REFERENCES bucket,
    key BLOB NOT NULL,
    version TEXT NOT NULL,
    latest INTEGER NOT NULL,
    marker INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified INTEGER NOT NULL,
    class TEXT NOT NULL,
    body TEXT,
    detail TEXT NOT NULL
);
CREATE UNIQUE INDEX object_by_age ON object (bucket, key, id DESC);
CREATE UNIQUE INDEX object_by_version ON object (bucket, key, version);
CREATE UNIQUE INDEX object_listed ON object (bucket, key) WHERE latest = 1 AND marker = 0;
CREATE INDEX object_by_body ON object (body) WHERE body IS NOT NULL;
CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    bucket INTEGER NOT NULL REFERENCES bucket ON DELETE CASCADE,
    key BLOB NOT NULL,
    initiated INTEGER NOT NULL,
    detail TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX upload_by_key ON upload (bucket, key, id);
CREATE TABLE part (
    upload TEXT NOT NULL REFERENCES upload ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified INTEGER NOT NULL,
    body TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
CREATE INDEX part_by_body ON part (body);
"""


class Index:
    """The database; safe under threads."""

    def __init__(self, file: Path) -> None:
        """Opens the database, or creates it.

        Raises:
            StoreError: The file is damaged, or its schema has a version that this code does not know.
        """
        self._file = file
        self._write_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        try:
            self._writer = self._connect()
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{file} cannot be read ({error}): move the folder {file.parent} away to start with an empty S3"
            ) from None

    def _prepare(self) -> None:
        db = self._writer
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version not in (0, VERSION):
            raise StoreError(
                f"{self._file} has version {version} of the schema, and this code knows version {VERSION}: "
                f"use the code that wrote it, or move the folder {self._file.parent} away to start with an empty S3"
            )
        if version == 0:
            db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False, timeout=30)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        return db

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lends a connection whose statements see what was committed before each of them."""
        try:
            db = self._idle.pop()
        except IndexError:
            db = self._connect()
        try:
            yield db
        finally:
            if len(self._idle) < _IDLE_CONNECTIONS:
                self._idle.append(db)
            else:
                db.close()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, durable when the block ends; an exception undoes it."""
        with self._write_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def close(self) -> None:
        """Closes every idle connection."""
        with self._write_lock:
            self._writer.close()
            while self._idle:
                self._idle.pop().close()
