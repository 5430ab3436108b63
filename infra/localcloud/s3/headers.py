"""Headers of objects: what a put keeps of them, and what a get answers with."""

from __future__ import annotations

import sqlite3
from typing import Any

from infra.localcloud.s3 import access_lists, shapes, tags
from infra.localcloud.s3.encryption_keys import check_usable, default_encryption
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.objects import Conditions, Detail, detail, parse_time
from infra.localcloud.s3.request import S3Request, http_date, iso_time
from infra.localcloud.s3.store import Bucket, Row, now, read_setting

ARCHIVED = {"GLACIER", "DEEP_ARCHIVE"}
_STANDARD_HEADERS = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_META = "x-amz-meta-"
_MAX_METADATA = 2048
_S3A = "Hadoop "  # in its user agent
_SSE = "x-amz-server-side-encryption"
_DAY = 24 * 3600 * 1000
# Headers that change what is stored, and that the local cloud does not honour.
_REFUSED = (
    f"{_SSE}-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-write-offset-bytes",
)
_OVERRIDES = {
    "response-cache-control": "cache-control",
    "response-content-disposition": "content-disposition",
    "response-content-encoding": "content-encoding",
    "response-content-language": "content-language",
    "response-content-type": "content-type",
    "response-expires": "expires",
}


def storage_class(request: S3Request) -> str:
    """The storage class that a request asks for.

    Raises:
        S3Error: There is no such class.
    """
    name = request.headers.get("x-amz-storage-class", "STANDARD")
    if name not in shapes.choices("StorageClass") or name in ("OUTPOSTS", "EXPRESS_ONEZONE", "SNOW"):
        raise S3Error("InvalidStorageClass", StorageClassRequested=name)
    return name


def metadata(request: S3Request) -> Detail:
    """The headers and the user's metadata that a put keeps.

    Raises:
        S3Error: The metadata is too long.
    """
    kept = {name: request.headers[name] for name in _STANDARD_HEADERS if name in request.headers}
    encodings = [
        text for text in kept.pop("content-encoding", "").split(",") if text.strip() not in ("aws-chunked", "")
    ]
    if encodings:
        kept["content-encoding"] = ",".join(encodings)
    kept["content-type"] = request.headers.get("content-type", "binary/octet-stream")
    own = {name[len(_META) :]: value for name, value in request.headers.items() if name.startswith(_META)}
    if sum(len(name) + len(value) for name, value in own.items()) > _MAX_METADATA:
        raise S3Error("MetadataTooLarge", MaxSizeAllowed=str(_MAX_METADATA))
    return {"headers": kept, "meta": own}


def new_detail(db: sqlite3.Connection, bucket: Bucket, request: S3Request) -> Detail:
    """Everything but metadata and checksum that a put, a copy or a multipart upload gives its object.

    Raises:
        S3Error: A header is not valid, or is not honoured.
    """
    headers = request.headers
    for name in _REFUSED:
        if name in headers:
            raise S3Error("NotImplemented", f"The local cloud did nothing: it does not honour the header {name}")
    made: Detail = {"sse": _encryption(db, bucket, request)}
    check_usable(bucket, made["sse"])
    acl = access_lists.from_headers(request)
    if acl:
        access_lists.check_allowed(db, bucket, acl)
        made["acl"] = acl
    if redirect := headers.get("x-amz-website-redirect-location"):
        made["redirect"] = redirect
    if lock := _lock(db, bucket, request):
        made["lock"] = lock
    if tagging := headers.get("x-amz-tagging"):
        made["tags"] = tags.from_header(tagging)
    return made


def _encryption(db: sqlite3.Connection, bucket: Bucket, request: S3Request) -> dict[str, Any]:
    """The request's encryption, else the bucket's, else S3's own."""
    algorithm = request.headers.get(_SSE, "")
    key = request.headers.get(f"{_SSE}-aws-kms-key-id", "")
    if algorithm not in ("", "AES256", "aws:kms", "aws:kms:dsse"):
        raise S3Error(
            "InvalidArgument",
            "The encryption method specified is not supported",
            ArgumentName=_SSE,
            ArgumentValue=algorithm,
        )
    if key and not algorithm.startswith("aws:kms"):
        raise S3Error(
            "InvalidArgument",
            f"Server Side Encryption with AWS KMS managed key requires HTTP header {_SSE} : aws:kms",
            ArgumentName=_SSE,
        )
    enabled = request.headers.get(f"{_SSE}-bucket-key-enabled", "")
    made: dict[str, Any] = {"algorithm": algorithm, "key": key} if algorithm else default_encryption(db, bucket)
    if made["algorithm"] == "aws:kms" and enabled:
        made["bucket_key"] = enabled.lower() == "true"
    return {name: value for name, value in made.items() if value}


def _lock(db: sqlite3.Connection, bucket: Bucket, request: S3Request) -> dict[str, str]:
    """The request's retention and legal hold, else the bucket's default retention."""
    prefix = "x-amz-object-lock-"
    mode, until = request.headers.get(prefix + "mode", ""), request.headers.get(prefix + "retain-until-date", "")
    hold = request.headers.get(prefix + "legal-hold", "")
    if (mode or until or hold) and not bucket.object_lock:
        raise S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration")
    if bool(mode) != bool(until):
        raise S3Error("InvalidArgument", f"{prefix}retain-until-date and {prefix}mode must both be supplied")
    if mode and mode not in ("GOVERNANCE", "COMPLIANCE"):
        raise S3Error("InvalidArgument", "Unknown wormMode directive.")
    if until and parse_time(until).timestamp() * 1000 <= now():
        raise S3Error("InvalidArgument", "The retain until date must be in the future!")
    default = (read_setting(db, bucket, "object-lock") or {}).get("Rule", {}).get("DefaultRetention")
    if not mode and default and bucket.object_lock:
        mode = default["Mode"]
        until = iso_time(now() + (default.get("Days", 0) + 365 * default.get("Years", 0)) * _DAY)
    lock = {"mode": mode, "until": until, "hold": hold}
    return {name: value for name, value in lock.items() if value}


def conditions(request: S3Request) -> Conditions:
    """The conditions of a write.

    Raises:
        S3Error: S3 does not know such a condition for writes.
    """
    none = request.headers.get("if-none-match")
    if none is not None and none.strip() != "*":
        raise S3Error(
            "NotImplemented",
            Header="If-None-Match",
            additionalMessage="We don't accept the provided value of If-None-Match header for this API",
        )
    return Conditions(request.headers.get("if-match"), none)


def encryption_headers(made: Detail) -> dict[str, str]:
    """The encryption of an object, as a put and a get answer it."""
    sse = made.get("sse", {})
    headers = {_SSE: sse["algorithm"]} if sse else {}
    if "key" in sse:
        headers[f"{_SSE}-aws-kms-key-id"] = sse["key"]
    if sse.get("bucket_key"):
        headers[f"{_SSE}-bucket-key-enabled"] = "true"
    return headers


def checksum_headers(made: Detail) -> dict[str, str]:
    """The checksum of an object."""
    checksum = made.get("checksum")
    if not checksum:
        return {}
    return {
        f"x-amz-checksum-{checksum['algorithm'].lower()}": checksum["value"],
        "x-amz-checksum-type": checksum["type"],
    }


def write_headers(bucket: Bucket, version: str, etag: str, made: Detail) -> dict[str, str]:
    """The headers that answer a put."""
    headers = {"etag": f'"{etag}"', **encryption_headers(made), **checksum_headers(made)}
    if version and bucket.versioning:
        headers["x-amz-version-id"] = version
    return headers


def read_headers(bucket: Bucket, row: Row, request: S3Request) -> dict[str, str]:
    """The headers that answer a get or head of the whole object."""
    made = detail(row)
    headers = {
        "last-modified": http_date(row["modified"]),
        "etag": f'"{row["etag"]}"',
        "accept-ranges": "bytes",
        **made.get("headers", {}),
        **{_META + name: value for name, value in made.get("meta", {}).items()},
        **_read_encryption(made, request),
        **_state_headers(row, made),
    }
    if bucket.versioning:
        headers["x-amz-version-id"] = row["version"]
    if request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers.update(checksum_headers(made))
    headers.update({header: request.query[name] for name, header in _OVERRIDES.items() if name in request.query})
    return headers


def _read_encryption(made: Detail, request: S3Request) -> dict[str, str]:
    """The encryption of an object that is read, for Spark's S3A without the key.

    S3A repeats the key in the copy by which it renames an object, and its SDK sends none over http. Without the key,
    the copy is encrypted as its bucket says.
    """
    headers = encryption_headers(made)
    if _S3A in request.headers.get("user-agent", ""):
        headers.pop(f"{_SSE}-aws-kms-key-id", None)
    return headers


def _state_headers(row: Row, made: Detail) -> dict[str, str]:
    headers = {}
    if row["class"] != "STANDARD":
        headers["x-amz-storage-class"] = row["class"]
    if "restore" in made:
        headers["x-amz-restore"] = f'ongoing-request="false", expiry-date="{http_date(made["restore"])}"'
    if "redirect" in made:
        headers["x-amz-website-redirect-location"] = made["redirect"]
    if made.get("tags"):
        headers["x-amz-tagging-count"] = str(len(made["tags"]))
    for name, header in (("mode", "mode"), ("until", "retain-until-date"), ("hold", "legal-hold")):
        if value := made.get("lock", {}).get(name):
            headers[f"x-amz-object-lock-{header}"] = value
    return headers


def check_readable(bucket: Bucket, row: Row) -> None:
    """Refuses to read an archived object that is not restored, and one whose key cannot be used.

    Raises:
        S3Error: The object is archived, or as :func:`check_usable`.
    """
    check_usable(bucket, detail(row).get("sse", {}))
    if row["class"] in ARCHIVED and detail(row).get("restore", 0) <= now():
        raise S3Error("InvalidObjectState", StorageClass=row["class"])


def checksum_detail(algorithm: str, value: str, kind: str = "FULL_OBJECT") -> Detail:
    """The part of an object's detail that holds its checksum; empty without one."""
    return {"checksum": {"algorithm": algorithm, "value": value, "type": kind}} if value else {}


def checksum_members(made: Detail) -> dict[str, str]:
    """The checksum as members of an answer's body."""
    checksum = made.get("checksum")
    if not checksum:
        return {}
    return {f"Checksum{checksum['algorithm']}": checksum["value"], "ChecksumType": checksum["type"]}
