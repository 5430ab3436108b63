"""The SQLite file of the stored state. A commit returns when its rows are on disk."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.localcloud.state.errors import StateError

_TABLES = (
    "CREATE TABLE IF NOT EXISTS versions (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS objects (
        number INTEGER PRIMARY KEY, class TEXT NOT NULL, sha256 BLOB NOT NULL, attributes BLOB NOT NULL)""",
    # Elements keep their rowid when they change: it is their order in the collection.
    """CREATE TABLE IF NOT EXISTS elements (
        object INTEGER NOT NULL, attribute TEXT NOT NULL, key TEXT NOT NULL, sha256 BLOB NOT NULL, value BLOB NOT NULL,
        UNIQUE (object, attribute, key))""",
)
_PUT_OBJECT = (
    "INSERT INTO objects VALUES (?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET class = excluded.class,"
    " sha256 = excluded.sha256, attributes = excluded.attributes"
)
_PUT_ELEMENT = (
    "INSERT INTO elements VALUES (?, ?, ?, ?, ?) ON CONFLICT (object, attribute, key) DO UPDATE SET"
    " sha256 = excluded.sha256, value = excluded.value"
)


@dataclass
class Changes:
    """Rows of one or more commits. They are applied in the order of the attributes."""

    dropped_objects: list[int] = field(default_factory=list)
    cleared_elements: list[tuple[int, str]] = field(default_factory=list)
    deleted_elements: list[tuple[int, str, str]] = field(default_factory=list)
    objects: list[tuple[int, str, bytes, bytes]] = field(default_factory=list)
    elements: list[tuple[int, str, str, bytes, bytes]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(
            self.dropped_objects or self.cleared_elements or self.deleted_elements or self.objects or self.elements
        )


class Database:
    """The file, opened for this process alone.

    Args:
        file: The path. The file is made if it does not exist, readable by its owner only.
        versions: The versions that stored state must have to be read.

    Raises:
        StateError: The file is damaged, in use by another server, or of another version.
    """

    def __init__(self, file: Path, versions: Mapping[str, str]) -> None:
        self.file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=0)
            self._open(versions)
        except (sqlite3.Error, OSError) as error:
            if "locked" in str(error):
                raise StateError(
                    f"{file} is in use by another local cloud. Stop that one, or give this one another `state` folder."
                ) from None
            raise self.damaged(str(error)) from None

    def _open(self, versions: Mapping[str, str]) -> None:
        run = self._connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        problem = run("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise self.damaged(problem)
        run("BEGIN IMMEDIATE")
        for statement in _TABLES:
            run(statement)
        stored = dict(run("SELECT name, value FROM versions").fetchall())
        if stored and stored != dict(versions):
            run("ROLLBACK")
            raise StateError(
                f"The state in {self.file.parent} was written by {_sentence(stored)}; this is {_sentence(versions)}, "
                "which cannot read it. Run `make clean` (or delete that folder) to start with empty state, or go back "
                "to the version that wrote it."
            )
        self._connection.executemany("INSERT OR IGNORE INTO versions VALUES (?, ?)", versions.items())
        run("COMMIT")

    def damaged(self, reason: str) -> StateError:
        """The error for a file that cannot be read."""
        return StateError(
            f"The stored state in {self.file} is damaged ({reason}), so nothing of it was loaded. Restore the folder "
            f"{self.file.parent} from a copy, or run `make clean` (or delete the folder) to start with empty state."
        )

    def objects(self) -> Iterator[tuple[int, str, bytes, bytes]]:
        """All objects: number, class, SHA-256, attributes."""
        return self._connection.execute("SELECT number, class, sha256, attributes FROM objects ORDER BY number")

    def elements(self) -> Iterator[tuple[int, str, bytes, bytes]]:
        """All elements: object, attribute, SHA-256, value; those of one collection in their order."""
        return self._connection.execute("SELECT object, attribute, sha256, value FROM elements ORDER BY rowid")

    def commit(self, batch: list[Changes]) -> None:
        """Writes all changes in one transaction, and returns when they are on disk.

        Raises:
            sqlite3.Error: Nothing was written.
        """
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for changes in batch:
                dropped = [(number,) for number in changes.dropped_objects]
                connection.executemany("DELETE FROM objects WHERE number = ?", dropped)
                connection.executemany("DELETE FROM elements WHERE object = ?", dropped)
                connection.executemany(
                    "DELETE FROM elements WHERE object = ? AND attribute = ?", changes.cleared_elements
                )
                connection.executemany(
                    "DELETE FROM elements WHERE object = ? AND attribute = ? AND key = ?", changes.deleted_elements
                )
                connection.executemany(_PUT_OBJECT, changes.objects)
                connection.executemany(_PUT_ELEMENT, changes.elements)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()


def _sentence(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(versions.items()))
