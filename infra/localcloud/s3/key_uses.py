"""KMS keys that S3 uses for the caller of a request.

As on AWS, a put and the begin of a multipart upload need kms:GenerateDataKey, parts and completion kms:Decrypt, a get
kms:Decrypt, and a copy both. The default key of AWS (alias/aws/s3) asks nobody.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, unquote

from infra.localcloud.authorization.lookups import key_arn
from infra.localcloud.authorization.s3_keys import KeyUse
from infra.localcloud.authorization.s3_requests import S3Request
from infra.localcloud.s3 import objects
from infra.localcloud.s3.encryption_keys import default_encryption
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.store import Store

_GENERATE, _DECRYPT = "kms:GenerateDataKey", "kms:Decrypt"
_STARTS = ("PutObject", "CopyObject", "CreateMultipartUpload")
_PARTS = ("UploadPart", "UploadPartCopy", "CompleteMultipartUpload")


def uses(store: Store, request: S3Request) -> list[KeyUse]:
    """The uses of keys that a request for an object needs."""
    with store.index.read() as db:
        return list(dict.fromkeys(_uses(store, db, request)))


def _uses(store: Store, db: sqlite3.Connection, request: S3Request) -> Iterator[KeyUse]:
    if request.operation in _STARTS:
        yield from _use(request, _GENERATE, _new_object(store, db, request), request.bucket, request.key)
    elif request.operation in _PARTS:
        yield from _use(request, _DECRYPT, _upload(db, request), request.bucket, request.key)
    elif request.operation == "GetObject" or (request.operation == "HeadObject" and request.header("CHECKSUM_MODE")):
        version = request.query.get("versionId", [None])[0]
        found = _stored(store, db, request.bucket, request.key, version)
        yield from _use(request, _DECRYPT, found, request.bucket, request.key)
    if source := request.header("COPY_SOURCE"):
        path, _, query = source.partition("?")
        bucket, _, key = unquote(path).lstrip("/").partition("/")
        found = _stored(store, db, bucket, key, parse_qs(query).get("versionId", [None])[0])
        yield from _use(request, _DECRYPT, found, bucket, key)


def _use(request: S3Request, action: str, encryption: dict[str, Any], bucket: str, key: str) -> Iterator[KeyUse]:
    name = encryption.get("key", "")
    if name and "alias/aws/" not in name:
        encrypted = f"arn:aws:s3:::{bucket}" + ("" if encryption.get("bucket_key") else f"/{key}")
        yield KeyUse(action, key_arn(name, request.region, request.account), encrypted)


def _new_object(store: Store, db: sqlite3.Connection, request: S3Request) -> dict[str, Any]:
    """The encryption that the headers ask for, else the bucket's."""
    made: dict[str, Any] = {}
    if request.header("SERVER_SIDE_ENCRYPTION"):
        made["key"] = request.header("SERVER_SIDE_ENCRYPTION_AWS_KMS_KEY_ID")
    else:
        with suppress(S3Error):
            made = default_encryption(db, store.bucket(request.bucket, db))
    if enabled := request.header("SERVER_SIDE_ENCRYPTION_BUCKET_KEY_ENABLED"):
        made["bucket_key"] = enabled.lower() == "true"
    return made


def _upload(db: sqlite3.Connection, request: S3Request) -> dict[str, Any]:
    upload = request.query.get("uploadId", [""])[0]
    row = db.execute("SELECT detail FROM upload WHERE id = ?", (upload,)).fetchone()
    return dict(json.loads(row["detail"]).get("sse", {})) if row else {}


def _stored(store: Store, db: sqlite3.Connection, bucket: str, key: str, version: str | None) -> dict[str, Any]:
    try:
        row = objects.find(db, store.bucket(bucket, db), key, version)
    except S3Error:
        return {}  # S3 answers for what is not there
    return dict(objects.detail(row).get("sse", {}))
