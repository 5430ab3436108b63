"""Versions of objects: puts, deletes and reads in the index."""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.store import Bucket, Change, Row, Transaction, now

NULL = "null"
# An object's detail: headers, metadata, checksum, tags, acl, lock, parts and the like, as JSON.
Detail = dict[str, Any]


@dataclass(frozen=True)
class Conditions:
    """If-Match and If-None-Match of a write; None where absent."""

    if_match: str | None = None
    if_none_match: str | None = None


@dataclass
class NewObject:
    """An object that is about to be put."""

    key: str
    size: int
    etag: str
    body: str
    storage_class: str = "STANDARD"
    detail: Detail = field(default_factory=dict)
    reason: str = "PutObject"


@dataclass(frozen=True)
class Written:
    """What a put or delete did.

    Attributes:
        version: The version's id, or "" in a bucket that never had versions.
        marker: A delete marker was made or deleted.
        modified: The time in milliseconds.
    """

    version: str = ""
    marker: bool = False
    modified: int = 0


def detail(row: Row) -> Detail:
    """The detail of a row."""
    loaded: Detail = json.loads(row["detail"])
    return loaded


def current(db: sqlite3.Connection, bucket: Bucket, key: str) -> Row | None:
    """The current version of a key, which may be a delete marker."""
    row: Row | None = db.execute(
        "SELECT * FROM object WHERE bucket = ? AND key = ? ORDER BY id DESC LIMIT 1", (bucket.id, key.encode())
    ).fetchone()
    return row


def version(db: sqlite3.Connection, bucket: Bucket, key: str, version_id: str) -> Row | None:
    """One version of a key."""
    row: Row | None = db.execute(
        "SELECT * FROM object WHERE bucket = ? AND key = ? AND version = ?", (bucket.id, key.encode(), version_id)
    ).fetchone()
    return row


def find(db: sqlite3.Connection, bucket: Bucket, key: str, version_id: str | None, method: str = "GET") -> Row:
    """The version that a request names.

    Raises:
        S3Error: There is none, or it is a delete marker.
    """
    if version_id is None:
        row = current(db, bucket, key)
        if row is None:
            raise S3Error("NoSuchKey", Key=key)
        if row["marker"]:
            raise S3Error(
                "NoSuchKey", headers={"x-amz-delete-marker": "true", "x-amz-version-id": row["version"]}, Key=key
            )
        return row
    row = version(db, bucket, key, version_id)
    if row is None:
        raise S3Error("NoSuchVersion", Key=key, VersionId=version_id)
    if row["marker"]:
        headers = {"x-amz-delete-marker": "true", "x-amz-version-id": version_id, "allow": "DELETE"}
        raise S3Error("MethodNotAllowed", headers=headers, Method=method, ResourceType="DeleteMarker")
    return row


def put(transaction: Transaction, bucket: Bucket, new: NewObject, conditions: Conditions) -> Written:
    """Makes a new current version; in a bucket without versions it takes the old one's place.

    Raises:
        S3Error: A condition does not hold.
    """
    old = current(transaction.db, bucket, new.key)
    _check_put(old, new.key, conditions)
    written = _insert(transaction, bucket, new, marker=False)
    transaction.changes.append(Change(bucket, new.key, written.version, new.reason, new.size, new.etag))
    return written


def _check_put(old: Row | None, key: str, conditions: Conditions) -> None:
    exists = old is not None and not old["marker"]
    if conditions.if_none_match is not None and exists:
        raise S3Error("PreconditionFailed", Condition="If-None-Match")
    if conditions.if_match is not None:
        if old is None or not exists:
            raise S3Error("NoSuchKey", Key=key)
        if not etag_matches(conditions.if_match, old["etag"]):
            raise S3Error("PreconditionFailed", Condition="If-Match")


def etag_matches(given: str, etag: str) -> bool:
    """Compares the value of If-Match or If-None-Match with an ETag; quotes do not count."""
    candidates = {text.strip().removeprefix("W/").strip('"') for text in given.split(",")}
    return "*" in candidates or etag in candidates


def _insert(transaction: Transaction, bucket: Bucket, new: NewObject, *, marker: bool) -> Written:
    db, key = transaction.db, new.key.encode()
    enabled = bucket.versioning == "Enabled"
    version_id = secrets.token_urlsafe(24) if enabled else NULL
    if not enabled:
        _remove(transaction, version(db, bucket, new.key, NULL))
    modified = now()
    db.execute("UPDATE object SET latest = 0 WHERE bucket = ? AND key = ? AND latest = 1", (bucket.id, key))
    db.execute(
        "INSERT INTO object (bucket, key, version, latest, marker, size, etag, modified, class, body, detail)"
        " VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)",
        (
            bucket.id,
            key,
            version_id,
            marker,
            new.size,
            new.etag,
            modified,
            new.storage_class,
            new.body or None,
            json.dumps(new.detail, separators=(",", ":")),
        ),
    )
    return Written(version_id if bucket.versioning else "", marker, modified)


def _remove(transaction: Transaction, row: Row | None) -> None:
    if row is not None:
        transaction.db.execute("DELETE FROM object WHERE id = ?", (row["id"],))
        transaction.release(row["body"])


def delete(transaction: Transaction, bucket: Bucket, key: str, if_match: str | None = None) -> Written:
    """Deletes the current version, or hides it behind a delete marker in a bucket with versions.

    Raises:
        S3Error: The condition does not hold.
    """
    old = current(transaction.db, bucket, key)
    exists = old is not None and not old["marker"]
    if if_match is not None and old is not None and exists and not etag_matches(if_match, old["etag"]):
        raise S3Error("PreconditionFailed", Condition="If-Match")
    if bucket.versioning:
        written = _insert(transaction, bucket, NewObject(key, 0, "", ""), marker=True)
        transaction.changes.append(_deleted(bucket, key, written.version, "Delete Marker Created"))
        return written
    if old is not None:
        _remove(transaction, old)
        transaction.changes.append(_deleted(bucket, key, "", "Permanently Deleted"))
    return Written()


def _deleted(bucket: Bucket, key: str, version_id: str, deletion: str) -> Change:
    return Change(bucket, key, version_id, "DeleteObject", deletion=deletion)


def delete_version(
    transaction: Transaction, bucket: Bucket, key: str, version_id: str, *, bypass: bool = False
) -> Written:
    """Deletes one version for good; the version before it becomes current. A missing version is deleted already.

    Raises:
        S3Error: The version is locked.
    """
    db = transaction.db
    row = version(db, bucket, key, version_id)
    if row is None:
        return Written(version_id)
    if is_locked(detail(row).get("lock", {}), bypass=bypass):
        raise S3Error("AccessDenied", "Access Denied because object protected by object lock.")
    _remove(transaction, row)
    transaction.changes.append(_deleted(bucket, key, version_id, "Permanently Deleted"))
    if row["latest"] and (previous := current(db, bucket, key)):
        db.execute("UPDATE object SET latest = 1 WHERE id = ?", (previous["id"],))
    return Written(version_id, bool(row["marker"]))


def is_locked(lock: dict[str, str], *, bypass: bool) -> bool:
    """Whether a legal hold or a retention forbids deleting a version."""
    if lock.get("hold") == "ON":
        return True
    if not lock.get("mode") or (lock["mode"] == "GOVERNANCE" and bypass):
        return False
    return parse_time(lock["until"]) > datetime.now(UTC)


def parse_time(text: str) -> datetime:
    """Reads an ISO 8601 time.

    Raises:
        S3Error: It is none.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise S3Error("MalformedXML") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def change_detail(transaction: Transaction, row: Row, changed: Detail) -> None:
    """Replaces the detail of a version: its tags, ACL, retention and the like can change, its content cannot."""
    transaction.db.execute(
        "UPDATE object SET detail = ? WHERE id = ?", (json.dumps(changed, separators=(",", ":")), row["id"])
    )
