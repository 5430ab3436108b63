"""Multipart uploads: create, parts, list and abort. Completing one is in ``completion.py``."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import sqlite3

from infra.localcloud.s3 import access_lists, checksums, copy_actions, headers, listing, objects, shapes
from infra.localcloud.s3.encryption_keys import check_usable
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.listing_actions import delimited, encoded
from infra.localcloud.s3.reception import receive
from infra.localcloud.s3.request import XML, Answer, S3Request, iso_time
from infra.localcloud.s3.store import Bucket, Row, Store, now

MAX_PARTS = 10_000
_BLOCK = 1 << 20


def create_upload(store: Store, request: S3Request) -> Answer:
    """CreateMultipartUpload."""
    made = headers.metadata(request)
    made["class"] = headers.storage_class(request)
    made.update(_checksum_choice(request))
    upload_id = secrets.token_urlsafe(64)
    with store.write() as transaction:
        bucket = store.bucket(request.bucket, transaction.db)
        made.update(headers.new_detail(transaction.db, bucket, request))
        transaction.db.execute(
            "INSERT INTO upload (id, bucket, key, initiated, detail) VALUES (?, ?, ?, ?, ?)",
            (upload_id, bucket.id, request.key.encode(), now(), json.dumps(made)),
        )
    answer = {**XML, **headers.encryption_headers(made)}
    if "algorithm" in made:
        answer["x-amz-checksum-algorithm"] = made["algorithm"]
        answer["x-amz-checksum-type"] = made["checksum_type"]
    value = {"Bucket": request.bucket, "Key": request.key, "UploadId": upload_id}
    shape = shapes.output("CreateMultipartUpload")
    return Answer(200, answer, shapes.write(shape, value, "InitiateMultipartUploadResult"))


def _checksum_choice(request: S3Request) -> dict[str, str]:
    """The algorithm and type of the upload's checksums."""
    algorithm = request.headers.get("x-amz-checksum-algorithm", "").upper()
    kind = request.headers.get("x-amz-checksum-type", "").upper()
    if not algorithm:
        if kind:
            raise S3Error(
                "InvalidRequest",
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )
        return {}
    checksums.start(algorithm)
    kind = kind or ("FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE")
    if kind not in ("FULL_OBJECT", "COMPOSITE") or (
        (kind == "FULL_OBJECT" and algorithm.startswith("SHA")) or (kind == "COMPOSITE" and algorithm == "CRC64NVME")
    ):
        raise S3Error(
            "InvalidRequest",
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm.",
        )
    return {"algorithm": algorithm, "checksum_type": kind}


def find_upload(store: Store, db: sqlite3.Connection, request: S3Request) -> tuple[Bucket, Row]:
    """The upload that a request names.

    Raises:
        S3Error: There is none of this id for this key.
    """
    bucket = store.bucket(request.bucket, db)
    row = db.execute(
        "SELECT * FROM upload WHERE id = ? AND bucket = ? AND key = ?",
        (request.query["uploadId"], bucket.id, request.key.encode()),
    ).fetchone()
    if row is None:
        raise S3Error("NoSuchUpload", UploadId=request.query["uploadId"])
    return bucket, row


def _part_number(request: S3Request) -> int:
    text = request.query["partNumber"]
    if not text.isdigit() or not 1 <= int(text) <= MAX_PARTS:
        raise S3Error(
            "InvalidArgument",
            f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=text,
        )
    return int(text)


def upload_part(store: Store, request: S3Request) -> Answer:
    """UploadPart."""
    number = _part_number(request)
    with store.index.read() as db:
        bucket, row = find_upload(store, db, request)
    made = objects.detail(row)
    check_usable(bucket, made["sse"])
    with receive(request, store.bodies) as received:
        expected = made.get("algorithm", "")
        if expected and received.algorithm != expected:
            raise S3Error(
                "InvalidRequest",
                f"Checksum Type mismatch occurred, expected checksum Type: {expected.lower()}, "
                f"actual checksum Type: {received.algorithm.lower() or 'null'}",
            )
        checksum = headers.checksum_detail(received.algorithm, received.checksum)
        body = received.body.keep()
        _put_part(store, request, number, (received.size, received.md5, body), checksum)
    answer = headers.checksum_headers(checksum)
    answer.pop("x-amz-checksum-type", None)
    return Answer(200, {"etag": f'"{received.md5}"', **answer, **headers.encryption_headers(made)})


def _put_part(
    store: Store, request: S3Request, number: int, part: tuple[int, str, str], checksum: objects.Detail
) -> int:
    """Commits a part, in place of an older one of its number; returns the time. Without it, the body is removed."""
    size, md5, body = part
    modified = now()
    try:
        with store.write() as transaction:
            _, row = find_upload(store, transaction.db, request)
            old = transaction.db.execute(
                "SELECT body FROM part WHERE upload = ? AND number = ?", (row["id"], number)
            ).fetchone()
            transaction.db.execute(
                "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?, ?)",
                (row["id"], number, size, md5, modified, body, json.dumps(checksum)),
            )
            transaction.release(old["body"] if old else None)
    except BaseException:
        store.bodies.delete([body])
        raise
    return modified


def upload_part_copy(store: Store, request: S3Request) -> Answer:
    """UploadPartCopy."""
    number = _part_number(request)
    with store.index.read() as db:
        _, upload = find_upload(store, db, request)
        origin, source = copy_actions.find_source(store, db, request)
        file = store.bodies.open(source["body"])
    made = objects.detail(upload)
    start, length = _copy_range(request.headers.get("x-amz-copy-source-range", ""), source["size"])
    md5 = hashlib.md5(usedforsecurity=False)
    checksum = checksums.start(made["algorithm"]) if "algorithm" in made else None
    with file, store.bodies.create() as body:
        file.seek(start)
        left = length
        while left and (block := file.read(min(left, _BLOCK))):
            left -= len(block)
            md5.update(block)
            if checksum:
                checksum.update(block)
            body.write(block)
        kept = body.keep()
    text = checksums.text(checksum.digest()) if checksum else ""
    recorded = headers.checksum_detail(made.get("algorithm", ""), text)
    modified = _put_part(store, request, number, (length, md5.hexdigest(), kept), recorded)
    members = {"ETag": f'"{md5.hexdigest()}"', "LastModified": iso_time(modified), **headers.checksum_members(recorded)}
    answer = {**XML, **headers.encryption_headers(made)}
    if origin.versioning:
        answer["x-amz-copy-source-version-id"] = source["version"]
    shape = shapes.output("UploadPartCopy", "CopyPartResult")
    return Answer(200, answer, shapes.write(shape, members, "CopyPartResult"))


def _copy_range(text: str, size: int) -> tuple[int, int]:
    if not text:
        return 0, size
    match = re.fullmatch(r"bytes=(\d+)-(\d+)", text)
    if not match or int(match[1]) > int(match[2]):
        raise S3Error(
            "InvalidArgument",
            "The x-amz-copy-source-range value must be of the form bytes=first-last where "
            "first and last are the zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=text,
        )
    if int(match[2]) >= size:
        raise S3Error(
            "InvalidArgument",
            f"Range specified is not valid for source object of size: {size}",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=text,
        )
    return int(match[1]), int(match[2]) - int(match[1]) + 1


def abort_upload(store: Store, request: S3Request) -> Answer:
    """AbortMultipartUpload."""
    with store.write() as transaction:
        _, row = find_upload(store, transaction.db, request)
        for part in transaction.db.execute("SELECT body FROM part WHERE upload = ?", (row["id"],)).fetchall():
            transaction.release(part["body"])
        transaction.db.execute("DELETE FROM upload WHERE id = ?", (row["id"],))
    return Answer(204)


def list_parts(store: Store, request: S3Request) -> Answer:
    """ListParts."""
    marker = request.integer("part-number-marker", 0)
    limit = min(request.integer("max-parts", 1000), 1000)
    with store.index.read() as db:
        _, upload = find_upload(store, db, request)
        rows = db.execute(
            "SELECT * FROM part WHERE upload = ? AND number > ? ORDER BY number LIMIT ?",
            (upload["id"], marker, limit + 1),
        ).fetchall()
    made = objects.detail(upload)
    parts = [
        {
            "PartNumber": row["number"],
            "LastModified": iso_time(row["modified"]),
            "ETag": f'"{row["etag"]}"',
            "Size": row["size"],
            **{
                name: text
                for name, text in headers.checksum_members(objects.detail(row)).items()
                if name != "ChecksumType"
            },
        }
        for row in rows[:limit]
    ]
    owner = {"ID": access_lists.OWNER}
    value = {
        "Bucket": request.bucket,
        "Key": request.key,
        "UploadId": upload["id"],
        "PartNumberMarker": marker,
        "NextPartNumberMarker": parts[-1]["PartNumber"] if parts else 0,
        "MaxParts": limit,
        "IsTruncated": len(rows) > limit,
        "Parts": parts,
        "Initiator": owner,
        "Owner": owner,
        "StorageClass": made["class"],
        "ChecksumAlgorithm": made.get("algorithm"),
        "ChecksumType": made.get("checksum_type"),
    }
    return Answer(200, XML, shapes.write(shapes.output("ListParts"), value, "ListPartsResult"))


def list_uploads(store: Store, request: S3Request) -> Answer:
    """ListMultipartUploads."""
    query = request.query
    limit = min(request.integer("max-uploads", 1000), 1000)
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    marker = query.get("key-marker", "")
    with store.index.read() as db:
        bucket = store.bucket(request.bucket, db)
        page = listing.uploads(
            db,
            bucket,
            prefix.encode(),
            delimiter.encode(),
            marker.encode() or None,
            query.get("upload-id-marker", ""),
            limit,
        )
    owner = {"ID": access_lists.OWNER}
    uploads = []
    for row in page.rows:
        made = objects.detail(row)
        uploads.append(
            {
                "UploadId": row["id"],
                "Key": encoded(request, row["key"]),
                "Initiated": iso_time(row["initiated"]),
                "StorageClass": made["class"],
                "Owner": owner,
                "Initiator": owner,
                "ChecksumAlgorithm": made.get("algorithm"),
                "ChecksumType": made.get("checksum_type"),
            }
        )
    value = {
        "Bucket": request.bucket,
        "KeyMarker": marker,
        "UploadIdMarker": query.get("upload-id-marker", ""),
        "MaxUploads": limit,
        "IsTruncated": page.truncated,
        "NextKeyMarker": encoded(request, page.last) if page.truncated else None,
        "NextUploadIdMarker": page.last_row["id"] if page.truncated and page.last_row else None,
        "Uploads": uploads,
        **delimited(request, page, prefix, delimiter),
    }
    shape = shapes.output("ListMultipartUploads")
    return Answer(200, XML, shapes.write(shape, value, "ListMultipartUploadsResult"))
