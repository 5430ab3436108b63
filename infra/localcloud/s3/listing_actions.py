"""ListObjects, ListObjectsV2 and ListObjectVersions."""

from __future__ import annotations

import base64
import binascii
import json
from urllib.parse import quote
from xml.sax.saxutils import escape

from infra.localcloud.s3 import access_lists, listing, shapes
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.request import XML, Answer, S3Request, iso_time
from infra.localcloud.s3.store import Row, Store

_MAX_KEYS = 1000
_OWNER = f"<Owner><ID>{access_lists.OWNER}</ID></Owner>"
# XML 1.0 has no form for these characters.
_FORBIDDEN = {code: None for code in range(32) if code not in (9, 10, 13)}


def encoded(request: S3Request, key: bytes) -> str:
    """A key as the listing shows it: URL-encoded if the request asks for it."""
    if request.query.get("encoding-type") == "url":
        return quote(key, safe="/-_.~*")
    return key.decode().translate(_FORBIDDEN)


def delimited(request: S3Request, page: listing.Page, prefix: str, delimiter: str) -> dict[str, object]:
    """The members that repeat the question, and the common prefixes."""
    return {
        "Prefix": encoded(request, prefix.encode()),
        "Delimiter": encoded(request, delimiter.encode()) if delimiter else None,
        "EncodingType": request.query.get("encoding-type"),
        "CommonPrefixes": [{"Prefix": encoded(request, text)} for text in page.prefixes],
    }


def _text(name: str, value: str) -> str:
    return f"<{name}>{escape(value)}</{name}>"


def _entry(request: S3Request, row: Row, owner: str) -> str:
    """One object. It is written by hand, because a page has a thousand of them."""
    checksum = ""
    if found := json.loads(row["detail"]).get("checksum"):
        checksum = _text("ChecksumAlgorithm", found["algorithm"]) + _text("ChecksumType", found["type"])
    return (
        f"<Contents><Key>{escape(encoded(request, row['key']))}</Key>"
        f"<LastModified>{iso_time(row['modified'])}</LastModified><ETag>&quot;{row['etag']}&quot;</ETag>{checksum}"
        f"<Size>{row['size']}</Size>{owner}<StorageClass>{row['class']}</StorageClass></Contents>"
    )


def _page(store: Store, request: S3Request, after: str | None) -> listing.Page:
    if request.query.get("encoding-type", "url") != "url":
        raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request", ArgumentName="encoding-type")
    limit = min(request.integer("max-keys", _MAX_KEYS), _MAX_KEYS)
    with store.index.read() as db:
        return listing.objects(
            db,
            store.bucket(request.bucket, db),
            request.query.get("prefix", "").encode(),
            request.query.get("delimiter", "").encode(),
            None if after is None else after.encode(),
            limit,
        )


def _document(request: S3Request, page: listing.Page, parts: list[str], *, owner: bool) -> Answer:
    query = request.query
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    parts = [
        f'{shapes.DECLARATION}<ListBucketResult xmlns="{shapes.NAMESPACE}">',
        _text("Name", request.bucket),
        _text("Prefix", encoded(request, prefix.encode())),
        _text("MaxKeys", str(request.integer("max-keys", _MAX_KEYS))),
        _text("IsTruncated", str(page.truncated).lower()),
        *parts,
    ]
    if delimiter:
        parts.append(_text("Delimiter", encoded(request, delimiter.encode())))
    if "encoding-type" in query:
        parts.append(_text("EncodingType", query["encoding-type"]))
    parts += [_entry(request, row, _OWNER if owner else "") for row in page.rows]
    parts += [f"<CommonPrefixes>{_text('Prefix', encoded(request, text))}</CommonPrefixes>" for text in page.prefixes]
    return Answer(200, XML, "".join([*parts, "</ListBucketResult>"]).encode())


def list_objects(store: Store, request: S3Request) -> Answer:
    """ListObjects."""
    marker = request.query.get("marker", "")
    page = _page(store, request, marker or None)
    parts = [_text("Marker", encoded(request, marker.encode()))]
    if page.truncated and request.query.get("delimiter"):
        parts.append(_text("NextMarker", encoded(request, page.last)))
    return _document(request, page, parts, owner=True)


def list_objects_v2(store: Store, request: S3Request) -> Answer:
    """ListObjectsV2."""
    query = request.query
    if query["list-type"] != "2":
        raise S3Error("InvalidArgument", "Invalid List Type specified in Request", ArgumentName="list-type")
    token = query.get("continuation-token")
    start = query.get("start-after", "")
    after = _read_token(token) if token is not None else start or None
    page = _page(store, request, after)
    parts = [_text("KeyCount", str(len(page.rows) + len(page.prefixes)))]
    if token is not None:
        parts.append(_text("ContinuationToken", token))
    if start:
        parts.append(_text("StartAfter", encoded(request, start.encode())))
    if page.truncated:
        parts.append(_text("NextContinuationToken", base64.urlsafe_b64encode(b"1" + page.last).decode()))
    return _document(request, page, parts, owner=query.get("fetch-owner", "").lower() == "true")


def _read_token(token: str) -> str:
    """The key or common prefix after which the page begins: the token itself holds it, so it stays valid for ever."""
    try:
        text = base64.urlsafe_b64decode(token.encode())
        if text[:1] == b"1":
            return text[1:].decode()
    except (binascii.Error, ValueError):
        pass
    raise S3Error("InvalidArgument", "The continuation token provided is incorrect", ArgumentName="continuation-token")


def list_versions(store: Store, request: S3Request) -> Answer:
    """ListObjectVersions."""
    query = request.query
    limit = min(request.integer("max-keys", _MAX_KEYS), _MAX_KEYS)
    marker, version_marker = query.get("key-marker", ""), query.get("version-id-marker", "")
    if version_marker and not marker:
        raise S3Error(
            "InvalidArgument",
            "A version-id marker cannot be specified without a key marker.",
            ArgumentName="version-id-marker",
            ArgumentValue=version_marker,
        )
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    with store.index.read() as db:
        bucket = store.bucket(request.bucket, db)
        row_id = _row_id(store, request, marker, version_marker)
        page = listing.versions(db, bucket, prefix.encode(), delimiter.encode(), marker.encode() or None, row_id, limit)
    value = {
        "Name": request.bucket,
        "KeyMarker": encoded(request, marker.encode()),
        "VersionIdMarker": version_marker,
        "MaxKeys": limit,
        "IsTruncated": page.truncated,
        "NextKeyMarker": encoded(request, page.last) if page.truncated else None,
        "NextVersionIdMarker": page.last_row["version"] if page.truncated and page.last_row else None,
        "Versions": [_version(request, row) for row in page.rows if not row["marker"]],
        "DeleteMarkers": [_version(request, row) for row in page.rows if row["marker"]],
        **delimited(request, page, prefix, delimiter),
    }
    shape = shapes.output("ListObjectVersions")
    return Answer(200, XML, shapes.write(shape, value, "ListVersionsResult"))


def _row_id(store: Store, request: S3Request, marker: str, version_marker: str) -> int | None:
    """The row of the version after which the page begins."""
    if not version_marker:
        return None
    with store.index.read() as db:
        bucket = store.bucket(request.bucket, db)
        row = db.execute(
            "SELECT id FROM object WHERE bucket = ? AND key = ? AND version = ?",
            (bucket.id, marker.encode(), version_marker),
        ).fetchone()
    if row is None:
        raise S3Error(
            "InvalidArgument",
            "Invalid version id specified",
            ArgumentName="version-id-marker",
            ArgumentValue=version_marker,
        )
    return int(row[0])


def _version(request: S3Request, row: Row) -> dict[str, object]:
    checksum = json.loads(row["detail"]).get("checksum", {})
    return {
        "Key": encoded(request, row["key"]),
        "VersionId": row["version"],
        "IsLatest": bool(row["latest"]),
        "LastModified": iso_time(row["modified"]),
        "Owner": {"ID": access_lists.OWNER},
        "ETag": f'"{row["etag"]}"',
        "Size": row["size"],
        "StorageClass": row["class"],
        "ChecksumAlgorithm": [checksum["algorithm"]] if checksum else None,
        "ChecksumType": checksum.get("type"),
    }
