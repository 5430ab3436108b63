"""PutObject, GetObject, HeadObject, DeleteObject and DeleteObjects."""

from __future__ import annotations

from typing import IO, Any

from infra.localcloud.s3 import headers, objects, shapes
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.reception import document, receive
from infra.localcloud.s3.request import XML, Answer, S3Request, parse_http_date
from infra.localcloud.s3.store import Bucket, Row, Store, Transaction
from infra.localcloud.wsgi import FileBody

_MAX_DELETES = 1000
_OPEN_ATTEMPTS = 20


def put_object(store: Store, request: S3Request) -> Answer:
    """PutObject."""
    conditions = headers.conditions(request)
    storage_class = headers.storage_class(request)
    made = headers.metadata(request)
    store.bucket(request.bucket)
    with receive(request, store.bodies) as received:
        made.update(headers.checksum_detail(received.algorithm, received.checksum))
        body = received.body.keep()
        try:
            with store.write() as transaction:
                bucket = store.bucket(request.bucket, transaction.db)
                made.update(headers.new_detail(transaction.db, bucket, request))
                new = objects.NewObject(request.key, received.size, received.md5, body, storage_class, made)
                written = objects.put(transaction, bucket, new, conditions)
        except BaseException:
            store.bodies.delete([body])
            raise
    return Answer(200, headers.write_headers(bucket, written.version, received.md5, made))


def get_object(store: Store, request: S3Request) -> Answer:
    """GetObject: the whole object, a range or a part."""
    bucket, row, file = _open(store, request)
    try:
        status, answer, start, length = _selected(bucket, row, request)
    except BaseException:
        file.close()
        raise
    if status == 304:
        file.close()
        return Answer(304, answer)
    return Answer(status, answer, FileBody(file, start, length), length)


def _open(store: Store, request: S3Request) -> tuple[Bucket, Row, IO[bytes]]:
    """Finds the version and opens its body. A write can remove the body between the two, so it is tried again."""
    for _ in range(_OPEN_ATTEMPTS):
        bucket, row = _find(store, request)
        headers.check_readable(bucket, row)
        try:
            return bucket, row, store.bodies.open(row["body"])
        except FileNotFoundError:
            continue
    raise FileNotFoundError(f"the body of {request.bucket}/{request.key} is missing")


def _find(store: Store, request: S3Request) -> tuple[Bucket, Row]:
    with store.index.read() as db:
        bucket = store.bucket(request.bucket, db)
        return bucket, objects.find(db, bucket, request.key, request.query.get("versionId"), request.method)


def head_object(store: Store, request: S3Request) -> Answer:
    """HeadObject."""
    bucket, row = _find(store, request)
    status, answer, _, length = _selected(bucket, row, request)
    return Answer(status, answer, b"", None if status == 304 else length)


def _selected(bucket: Bucket, row: Row, request: S3Request) -> tuple[int, dict[str, str], int, int]:
    """The status, the headers, and where in the body the answer begins and how long it is."""
    answer = headers.read_headers(bucket, row, request)
    if not _is_wanted(row, request):
        return 304, {name: answer[name] for name in ("etag", "last-modified", "accept-ranges")}, 0, 0
    size: int = row["size"]
    if "partNumber" in request.query:
        start, length = _part(row, request, answer)
    else:
        found = _range(request.headers.get("range", ""), size)
        if found is None:
            return 200, answer, 0, size
        start, length = found
    if length < size:  # the checksum is that of the whole object
        for name in [name for name in answer if name.startswith("x-amz-checksum-")]:
            del answer[name]
    answer["content-range"] = f"bytes {start}-{start + length - 1}/{size}"
    return 206, answer, start, length


def _is_wanted(row: Row, request: S3Request) -> bool:
    """Checks the conditions of a read; False if the client's copy is still valid."""
    given = request.headers
    etag, modified = row["etag"], row["modified"] // 1000
    if "if-match" in given:
        if not objects.etag_matches(given["if-match"], etag):
            raise S3Error("PreconditionFailed", Condition="If-Match")
    elif (since := parse_http_date(given.get("if-unmodified-since", ""))) is not None and modified > since:
        raise S3Error("PreconditionFailed", Condition="If-Unmodified-Since")
    if "if-none-match" in given:
        return not objects.etag_matches(given["if-none-match"], etag)
    since = parse_http_date(given.get("if-modified-since", ""))
    return since is None or modified > since


def _range(text: str, size: int) -> tuple[int, int] | None:
    """Start and length of a range; None if S3 does not understand it and so sends the whole object."""
    unit, _, rest = text.partition("=")
    first, dash, last = rest.partition("-")
    first, last = first.strip(), last.strip()
    if unit.strip() != "bytes" or not dash or not (first + last).isdigit():
        return None
    if not first:
        length = min(int(last), size)
        if not length:
            raise S3Error("InvalidRange", RangeRequested=text, ActualObjectSize=str(size))
        return size - length, length
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    if start >= size:
        raise S3Error("InvalidRange", RangeRequested=text, ActualObjectSize=str(size))
    return start, end - start + 1


def _part(row: Row, request: S3Request, answer: dict[str, str]) -> tuple[int, int]:
    """Start and length of a part of a multipart object."""
    if "range" in request.headers:
        raise S3Error("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
    number = request.integer("partNumber", 1, 1)
    sizes = [part["size"] for part in objects.detail(row).get("parts", [])]
    if sizes:
        answer["x-amz-mp-parts-count"] = str(len(sizes))
    sizes = sizes or [row["size"]]
    if number > len(sizes):
        raise S3Error("InvalidPartNumber", PartNumberRequested=str(number), ActualPartCount=str(len(sizes)))
    return sum(sizes[: number - 1]), sizes[number - 1]


def delete_object(store: Store, request: S3Request) -> Answer:
    """DeleteObject."""
    with store.write() as transaction:
        bucket = store.bucket(request.bucket, transaction.db)
        written = _delete(
            transaction,
            bucket,
            request,
            request.key,
            request.query.get("versionId"),
            request.headers.get("if-match"),
        )
    answer = {"x-amz-version-id": written.version} if written.version and bucket.versioning else {}
    if written.marker:
        answer["x-amz-delete-marker"] = "true"
    return Answer(204, answer)


def _delete(
    transaction: Transaction,
    bucket: Bucket,
    request: S3Request,
    key: str,
    version: str | None,
    if_match: str | None,
) -> objects.Written:
    bypass = request.headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
    if version is None:
        return objects.delete(transaction, bucket, key, if_match)
    return objects.delete_version(transaction, bucket, key, version, bypass=bypass)


def delete_objects(store: Store, request: S3Request) -> Answer:
    """DeleteObjects: all in one transaction."""
    if not any(name == "content-md5" or name.startswith("x-amz-checksum-") for name in request.headers) and (
        "x-amz-trailer" not in request.headers
    ):
        raise S3Error("InvalidRequest", "Missing required header for this request: Content-MD5")
    shape = shapes.payload("DeleteObjects")
    value = shapes.parse(shape, document(request))
    if not 0 < len(value["Objects"]) <= _MAX_DELETES:
        raise S3Error("MalformedXML")
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    with store.write() as transaction:
        bucket = store.bucket(request.bucket, transaction.db)
        for entry in value["Objects"]:
            key, version = entry["Key"], entry.get("VersionId")
            named = {"Key": key, "VersionId": version}
            try:
                written = _delete(transaction, bucket, request, key, version, entry.get("ETag"))
            except S3Error as error:
                errors.append({**named, "Code": error.code, "Message": error.message})
                continue
            marked = {"DeleteMarker": True, "DeleteMarkerVersionId": written.version} if written.marker else {}
            deleted.append({**named, **marked})
    answer = {"Deleted": [] if value.get("Quiet") else deleted, "Errors": errors}
    return Answer(200, XML, shapes.write(shapes.output("DeleteObjects"), answer, "DeleteResult"))
