"""CopyObject. Bodies never change, so a copy names the same file as its source."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from infra.localcloud.s3 import checksums, headers, objects, shapes, tags
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.reception import MAX_PUT
from infra.localcloud.s3.request import XML, Answer, S3Request, iso_time, parse_http_date
from infra.localcloud.s3.store import Bucket, Row, Store

_BLOCK = 1 << 20
_ATTEMPTS = 20
# Any of these headers makes a copy of an object onto itself a change.
_CHANGES = (
    "x-amz-storage-class",
    "x-amz-server-side-encryption",
    "x-amz-website-redirect-location",
    "x-amz-checksum-algorithm",
)


@dataclass(frozen=True)
class Source:
    """The object that x-amz-copy-source names."""

    bucket: str
    key: str
    version: str | None


def source(request: S3Request) -> Source:
    """Reads x-amz-copy-source.

    Raises:
        S3Error: It names no object.
    """
    text, _, query = request.headers["x-amz-copy-source"].partition("?")
    bucket, slash, key = unquote(text).removeprefix("/").partition("/")
    if not slash or not bucket or not key:
        raise S3Error(
            "InvalidArgument",
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            ArgumentName="x-amz-copy-source",
        )
    return Source(bucket, key, parse_qs(query).get("versionId", [None])[0])


def find_source(store: Store, db: sqlite3.Connection, request: S3Request) -> tuple[Bucket, Row]:
    """Finds the source and checks the conditions on it.

    Raises:
        S3Error: It does not exist, cannot be read, or a condition does not hold.
    """
    named = source(request)
    bucket = store.bucket(named.bucket, db)
    try:
        row = objects.find(db, bucket, named.key, named.version)
    except S3Error as error:
        if error.code == "MethodNotAllowed":
            raise S3Error(
                "InvalidRequest",
                "The source of a copy request may not specifically refer to a delete marker by version id.",
            ) from None
        error.headers = {}
        raise
    headers.check_readable(bucket, row)
    if row["size"] > MAX_PUT:
        raise S3Error(
            "InvalidRequest",
            f"The specified copy source is larger than the maximum allowable size for a copy source: {MAX_PUT}",
        )
    _check_conditions(row, request)
    return bucket, row


def _check_conditions(row: Row, request: S3Request) -> None:
    given, prefix = request.headers, "x-amz-copy-source-"
    modified = row["modified"] // 1000
    match, none = given.get(prefix + "if-match"), given.get(prefix + "if-none-match")
    unmodified = parse_http_date(given.get(prefix + "if-unmodified-since", ""))
    since = parse_http_date(given.get(prefix + "if-modified-since", ""))
    failed = ""
    if match is not None:
        failed = "" if objects.etag_matches(match, row["etag"]) else "If-Match"
    elif unmodified is not None and modified > unmodified:
        failed = "If-Unmodified-Since"
    if none is not None:
        failed = "If-None-Match" if objects.etag_matches(none, row["etag"]) else failed
    elif since is not None and modified <= since:
        failed = "If-Modified-Since"
    if failed:
        raise S3Error("PreconditionFailed", Condition=prefix + failed)


def copy_object(store: Store, request: S3Request) -> Answer:
    """CopyObject."""
    conditions = headers.conditions(request)
    for name in ("x-amz-metadata-directive", "x-amz-tagging-directive"):
        if request.headers.get(name, "COPY") not in ("COPY", "REPLACE"):
            raise S3Error("InvalidArgument", "Unknown directive.", ArgumentName=name)
    for _ in range(_ATTEMPTS):
        with store.index.read() as db:
            _, row = find_source(store, db, request)
        try:
            etag, checksum = _digests(store, row, request)
        except FileNotFoundError:
            continue
        with store.write() as transaction:
            origin, found = find_source(store, transaction.db, request)
            if found["id"] != row["id"]:
                continue
            bucket = store.bucket(request.bucket, transaction.db)
            new = _copy(transaction.db, bucket, origin, found, request)
            new.etag, new.reason = etag, "CopyObject"
            new.detail.pop("parts", None)
            new.detail.update(checksum)
            written = objects.put(transaction, bucket, new, conditions)
        answer = {**XML, **headers.write_headers(bucket, written.version, etag, new.detail)}
        for name in [name for name in answer if name.startswith("x-amz-checksum-") or name == "etag"]:
            del answer[name]
        if origin.versioning:
            answer["x-amz-copy-source-version-id"] = found["version"]
        result = {"ETag": f'"{etag}"', "LastModified": iso_time(written.modified)}
        shape = shapes.output("CopyObject", "CopyObjectResult")
        body = shapes.write(shape, {**result, **headers.checksum_members(new.detail)}, "CopyObjectResult")
        return Answer(200, answer, body)
    raise RuntimeError(f"the source of the copy to {request.bucket}/{request.key} changes all the time")


def _copy(db: sqlite3.Connection, bucket: Bucket, origin: Bucket, row: Row, request: S3Request) -> objects.NewObject:
    """The copy as it is put."""
    replaced = request.headers.get("x-amz-metadata-directive") == "REPLACE"
    given = headers.new_detail(db, bucket, request)
    old = objects.detail(row)
    kept: objects.Detail = {name: old[name] for name in ("headers", "meta", "checksum") if name in old}
    if replaced:
        kept.update(headers.metadata(request))
    if request.headers.get("x-amz-tagging-directive") != "REPLACE":
        given["tags"] = old.get("tags", {})
    elif text := request.headers.get("x-amz-tagging"):
        given["tags"] = tags.from_header(text)
    same = (origin.id, row["key"]) == (bucket.id, request.key.encode())
    changed = replaced or any(name in request.headers for name in _CHANGES) or given["sse"] != old.get("sse")
    if same and not changed and not row["latest"]:
        changed = True  # an older version is restored
    if same and not changed:
        raise S3Error(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself "
            "without changing the object's metadata, storage class, website redirect location or encryption "
            "attributes.",
        )
    return objects.NewObject(
        request.key, row["size"], row["etag"], row["body"], headers.storage_class(request), {**kept, **given}
    )


def _digests(store: Store, row: Row, request: S3Request) -> tuple[str, objects.Detail]:
    """The copy's ETag and checksum, computed anew where the source's are those of its parts or others are asked."""
    old = objects.detail(row).get("checksum", {})
    asked = request.headers.get("x-amz-checksum-algorithm", "").upper() or old.get("algorithm", "")
    fresh = bool(asked) and (asked != old.get("algorithm") or old["type"] == "COMPOSITE")
    if not fresh and "-" not in row["etag"]:
        return row["etag"], {"checksum": old} if old else {}
    md5 = hashlib.md5(usedforsecurity=False)
    checksum = checksums.start(asked) if fresh else None
    with store.bodies.open(row["body"]) as file:
        while block := file.read(_BLOCK):
            md5.update(block)
            if checksum:
                checksum.update(block)
    if checksum:
        return md5.hexdigest(), headers.checksum_detail(asked, checksums.text(checksum.digest()))
    return md5.hexdigest(), {"checksum": old} if old else {}
