"""CompleteMultipartUpload: checks the parts, joins their files and commits the object."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Any

from infra.localcloud.s3 import checksums, headers, objects, shapes
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.reception import document
from infra.localcloud.s3.request import XML, Answer, S3Request
from infra.localcloud.s3.store import Bucket, Row, Store, Transaction
from infra.localcloud.s3.upload_actions import find_upload

MIN_PART = 5 * 1024 * 1024


def complete_upload(store: Store, request: S3Request) -> Answer:
    """CompleteMultipartUpload."""
    conditions = headers.conditions(request)
    shape = shapes.payload("CompleteMultipartUpload")
    # The checksum headers are those of the object, not of this document.
    given = {name: request.headers.pop(name) for name in checksums.HEADERS if name in request.headers}
    listed = shapes.parse(shape, document(request)).get("Parts", [])
    with store.index.read() as db:
        _, upload = find_upload(store, db, request)
        rows = db.execute("SELECT * FROM part WHERE upload = ?", (upload["id"],)).fetchall()
    made = objects.detail(upload)
    parts = _checked_parts(request, made, listed, {row["number"]: row for row in rows})
    size = sum(part["size"] for part in parts)
    _check_size(request, size)
    made.update(_checksum(made, parts, given))
    storage_class = made.pop("class")
    made["parts"] = [{"size": part["size"], **objects.detail(part), "number": part["number"]} for part in parts]
    for name in ("algorithm", "checksum_type"):
        made.pop(name, None)
    digest = hashlib.md5(b"".join(bytes.fromhex(part["etag"]) for part in parts), usedforsecurity=False)
    etag = f"{digest.hexdigest()}-{len(parts)}"
    body = _joined(store, parts, request)
    new = objects.NewObject(request.key, size, etag, body, storage_class, made, "CompleteMultipartUpload")
    try:
        with store.write() as transaction:
            bucket = _end_upload(store, transaction, request, parts)
            written = objects.put(transaction, bucket, new, conditions)
    except BaseException:
        store.bodies.delete([body])
        raise
    answer = {**XML, **headers.write_headers(bucket, written.version, etag, made)}
    for name in [name for name in answer if name.startswith("x-amz-checksum-") or name == "etag"]:
        del answer[name]
    value = {
        "Location": f"/{request.bucket}/{request.key}",
        "Bucket": request.bucket,
        "Key": request.key,
        "ETag": f'"{etag}"',
        **headers.checksum_members(made),
    }
    body_shape = shapes.output("CompleteMultipartUpload")
    return Answer(200, answer, shapes.write(body_shape, value, "CompleteMultipartUploadResult"))


def _end_upload(store: Store, transaction: Transaction, request: S3Request, parts: list[Row]) -> Bucket:
    """Ends an upload whose parts are still those that were joined."""
    bucket, upload = find_upload(store, transaction.db, request)
    rows = transaction.db.execute("SELECT number, body FROM part WHERE upload = ?", (upload["id"],)).fetchall()
    if not {(part["number"], part["body"]) for part in parts} <= {tuple(row) for row in rows}:
        raise S3Error("InvalidPart", UploadId=request.query["uploadId"])
    transaction.db.execute("DELETE FROM upload WHERE id = ?", (upload["id"],))
    for row in rows:
        transaction.release(row["body"])
    return bucket


def _checked_parts(
    request: S3Request, made: objects.Detail, listed: list[dict[str, Any]], stored: dict[int, Row]
) -> list[Row]:
    """The parts of the object in order, each as it was uploaded."""
    if not listed or any("PartNumber" not in part or "ETag" not in part for part in listed):
        raise S3Error("MalformedXML")
    numbers = [part["PartNumber"] for part in listed]
    if any(left >= right for left, right in pairwise(numbers)):
        raise S3Error("InvalidPartOrder", UploadId=request.query["uploadId"])
    parts = []
    for part in listed:
        number, etag = part["PartNumber"], part["ETag"].strip('"')
        row = stored.get(number)
        if row is None or row["etag"] != etag:
            raise S3Error("InvalidPart", UploadId=request.query["uploadId"], PartNumber=str(number), ETag=etag)
        _check_part_checksum(made, part, row)
        parts.append(row)
    for row in parts[:-1]:
        if row["size"] < MIN_PART:
            raise S3Error(
                "EntityTooSmall",
                ProposedSize=str(row["size"]),
                MinSizeAllowed=str(MIN_PART),
                PartNumber=str(row["number"]),
                ETag=row["etag"],
            )
    return parts


def _check_part_checksum(made: objects.Detail, part: dict[str, Any], row: Row) -> None:
    algorithm = made.get("algorithm", "")
    stored = objects.detail(row).get("checksum", {})
    given = part.get(f"Checksum{algorithm}") if algorithm else None
    if made.get("checksum_type") == "COMPOSITE" and given is None:
        raise S3Error(
            "InvalidRequest",
            f"The upload was created using a {algorithm.lower()} checksum. The complete request "
            f"must include the checksum for each part. It was missing for part {row['number']} in the request.",
        )
    for name in checksums.SIZES:
        value = part.get(f"Checksum{name}")
        if value is not None and (stored.get("algorithm") != name or stored["value"] != value):
            raise S3Error("InvalidPart", PartNumber=str(row["number"]), ETag=row["etag"])


def _check_size(request: S3Request, size: int) -> None:
    expected = request.headers.get("x-amz-mp-object-size")
    if expected is not None and expected != str(size):
        raise S3Error(
            "InvalidRequest",
            f"The provided 'x-amz-mp-object-size' header value {expected} does not match what was computed: {size}",
        )


def _checksum(made: objects.Detail, parts: list[Row], given: dict[str, str]) -> objects.Detail:
    """The object's checksum, compared with the request's."""
    algorithm, kind = made.get("algorithm", ""), made.get("checksum_type", "")
    if not algorithm:
        return {}
    values = [(objects.detail(part)["checksum"]["value"], part["size"]) for part in parts]
    if kind == "COMPOSITE":
        value = checksums.composite(algorithm, [text for text, _ in values])
    else:
        value = checksums.joined(algorithm, values)
    announced = given.get(f"x-amz-checksum-{algorithm.lower()}")
    if announced is not None and announced.partition("-")[0] != value.partition("-")[0]:
        raise S3Error("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")
    return headers.checksum_detail(algorithm, value, kind)


def _joined(store: Store, parts: list[Row], request: S3Request) -> str:
    """One body of all parts."""
    with store.bodies.create() as body:
        for part in parts:
            try:
                copied = body.append_file(store.bodies.path(part["body"]))
            except FileNotFoundError:  # the part was replaced, or the upload ended, meanwhile
                raise S3Error("NoSuchUpload", UploadId=request.query["uploadId"]) from None
            if copied != part["size"]:
                raise OSError(f"part {part['number']} has {copied} bytes on disk and {part['size']} in the index")
        return body.keep()
