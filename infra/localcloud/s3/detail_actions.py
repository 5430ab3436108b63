"""What changes without a new version of the object (tags, ACL, retention, legal hold, restore), and its attributes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from infra.localcloud.s3 import access_lists, headers, objects, shapes, tags
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.reception import document
from infra.localcloud.s3.request import XML, Answer, S3Request, http_date
from infra.localcloud.s3.store import Bucket, Row, Store, Transaction, now

_DAY = 24 * 3600 * 1000


def _read(store: Store, request: S3Request) -> tuple[Bucket, Row, objects.Detail]:
    with store.index.read() as db:
        bucket = store.bucket(request.bucket, db)
        row = objects.find(db, bucket, request.key, request.query.get("versionId"), request.method)
    return bucket, row, objects.detail(row)


def _find(store: Store, transaction: Transaction, request: S3Request) -> tuple[Bucket, Row, objects.Detail]:
    bucket = store.bucket(request.bucket, transaction.db)
    row = objects.find(transaction.db, bucket, request.key, request.query.get("versionId"), request.method)
    return bucket, row, objects.detail(row)


def _version_header(bucket: Bucket, row: Row) -> dict[str, str]:
    return {"x-amz-version-id": row["version"]} if bucket.versioning else {}


def put_tags(store: Store, request: S3Request) -> Answer:
    """PutObjectTagging."""
    shape = shapes.payload("PutObjectTagging")
    given = tags.from_set(shapes.parse(shape, document(request))["TagSet"])
    return _change(store, request, {"tags": given})


def _change(store: Store, request: S3Request, changes: objects.Detail, status: int = 200) -> Answer:
    with store.write() as transaction:
        bucket, row, made = _find(store, transaction, request)
        objects.change_detail(transaction, row, {**made, **changes})
    return Answer(status, _version_header(bucket, row))


def get_tags(store: Store, request: S3Request) -> Answer:
    """GetObjectTagging: an empty set without tags."""
    bucket, row, made = _read(store, request)
    shape = shapes.output("GetObjectTagging")
    body = shapes.write(shape, {"TagSet": tags.to_set(made.get("tags", {}))}, "Tagging")
    return Answer(200, {**XML, **_version_header(bucket, row)}, body)


def delete_tags(store: Store, request: S3Request) -> Answer:
    """DeleteObjectTagging."""
    return _change(store, request, {"tags": {}}, 204)


def put_acl(store: Store, request: S3Request) -> Answer:
    """PutObjectAcl."""
    acl = access_lists.from_request(request, document(request), "PutObjectAcl")
    with store.write() as transaction:
        bucket, row, made = _find(store, transaction, request)
        access_lists.check_allowed(transaction.db, bucket, acl)
        objects.change_detail(transaction, row, {**made, "acl": acl})
    return Answer(200, _version_header(bucket, row))


def get_acl(store: Store, request: S3Request) -> Answer:
    """GetObjectAcl."""
    bucket, row, made = _read(store, request)
    acl = made.get("acl") or access_lists.private()
    shape = shapes.output("GetObjectAcl")
    return Answer(200, {**XML, **_version_header(bucket, row)}, shapes.write(shape, acl, "AccessControlPolicy"))


def put_legal_hold(store: Store, request: S3Request) -> Answer:
    """PutObjectLegalHold."""
    shape = shapes.payload("PutObjectLegalHold")
    status = shapes.parse(shape, document(request)).get("Status")
    if status is None:
        raise S3Error("MalformedXML")
    with store.write() as transaction:
        bucket, row, made = _find(store, transaction, request)
        _need_lock(bucket)
        objects.change_detail(transaction, row, {**made, "lock": {**made.get("lock", {}), "hold": status}})
    return Answer(200, _version_header(bucket, row))


def _need_lock(bucket: Bucket) -> None:
    if not bucket.object_lock:
        raise S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration")


def get_legal_hold(store: Store, request: S3Request) -> Answer:
    """GetObjectLegalHold."""
    bucket, _, made = _read(store, request)
    _need_lock(bucket)
    hold = made.get("lock", {}).get("hold")
    if not hold:
        raise S3Error("NoSuchObjectLockConfiguration")
    shape = shapes.output("GetObjectLegalHold", "LegalHold")
    return Answer(200, XML, shapes.write(shape, {"Status": hold}, "LegalHold"))


def put_retention(store: Store, request: S3Request) -> Answer:
    """PutObjectRetention: a retention can be extended; shortening one needs GOVERNANCE mode and its bypass."""
    shape = shapes.payload("PutObjectRetention")
    value = shapes.parse(shape, document(request))
    bypass = request.headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
    if value and ("Mode" not in value or "RetainUntilDate" not in value):
        raise S3Error("MalformedXML")
    until = objects.parse_time(value["RetainUntilDate"]) if value else None
    if until and until <= datetime.now(UTC):
        raise S3Error("InvalidArgument", "The retain until date must be in the future!")
    with store.write() as transaction:
        bucket, row, made = _find(store, transaction, request)
        _need_lock(bucket)
        old = made.get("lock", {})
        active = {name: text for name, text in old.items() if name != "hold"}
        shorter = not until or ("until" in old and until < objects.parse_time(old["until"]))
        weaker = shorter or (value.get("Mode") == "GOVERNANCE" and old.get("mode") == "COMPLIANCE")
        if weaker and objects.is_locked(active, bypass=bypass):
            raise S3Error("AccessDenied", "Access Denied because object protected by object lock.")
        lock = {name: text for name, text in old.items() if name == "hold"}
        if value:
            lock.update(mode=value["Mode"], until=value["RetainUntilDate"])
        objects.change_detail(transaction, row, {**made, "lock": lock})
    return Answer(200, _version_header(bucket, row))


def get_retention(store: Store, request: S3Request) -> Answer:
    """GetObjectRetention."""
    bucket, _, made = _read(store, request)
    _need_lock(bucket)
    lock = made.get("lock", {})
    if "mode" not in lock:
        raise S3Error("NoSuchObjectLockConfiguration")
    shape = shapes.output("GetObjectRetention", "Retention")
    value = {"Mode": lock["mode"], "RetainUntilDate": lock["until"]}
    return Answer(200, XML, shapes.write(shape, value, "Retention"))


def get_attributes(store: Store, request: S3Request) -> Answer:
    """GetObjectAttributes."""
    asked = {name.strip() for name in request.headers.get("x-amz-object-attributes", "").split(",") if name.strip()}
    if not asked or not asked <= shapes.choices("ObjectAttributes"):
        raise S3Error("InvalidArgument", "Invalid attribute name specified.", ArgumentName="x-amz-object-attributes")
    bucket, row, made = _read(store, request)
    value: dict[str, Any] = {
        "ETag": row["etag"],
        "ObjectSize": row["size"],
        "StorageClass": row["class"],
        "Checksum": headers.checksum_members(made) or None,
        "ObjectParts": _parts(request, made) if "parts" in made else None,
    }
    shape = shapes.output("GetObjectAttributes")
    body = shapes.write(shape, {name: value[name] for name in asked}, "GetObjectAttributesResponse")
    return Answer(200, {**XML, "last-modified": http_date(row["modified"]), **_version_header(bucket, row)}, body)


def _parts(request: S3Request, made: objects.Detail) -> dict[str, Any]:
    marker = int(request.headers.get("x-amz-part-number-marker", "0"))
    limit = int(request.headers.get("x-amz-max-parts", "1000"))
    parts = [part for part in made["parts"] if part["number"] > marker]
    members = [
        {
            "PartNumber": part["number"],
            "Size": part["size"],
            **{name: text for name, text in headers.checksum_members(part).items() if name != "ChecksumType"},
        }
        for part in parts[:limit]
    ]
    return {
        "TotalPartsCount": len(made["parts"]),
        "PartNumberMarker": marker,
        "NextPartNumberMarker": members[-1]["PartNumber"] if members else 0,
        "MaxParts": limit,
        "IsTruncated": len(parts) > limit,
        "Parts": members if "checksum" in made else [],
    }


def restore(store: Store, request: S3Request) -> Answer:
    """RestoreObject: an archived object is readable at once, for the days that are asked."""
    shape = shapes.payload("RestoreObject")
    value = shapes.parse(shape, document(request))
    if "SelectParameters" in value or "OutputLocation" in value:
        raise S3Error("NotImplemented", "The local cloud did nothing: it cannot select from an archive")
    if value.get("Days", 0) < 1:
        raise S3Error("MalformedXML")
    with store.write() as transaction:
        bucket, row, made = _find(store, transaction, request)
        if row["class"] not in headers.ARCHIVED:
            raise S3Error(
                "InvalidObjectState",
                "Restore is not allowed for the object's current storage class",
                StorageClass=row["class"],
            )
        again = made.get("restore", 0) > now()
        objects.change_detail(transaction, row, {**made, "restore": now() + value["Days"] * _DAY})
    return Answer(200 if again else 202, _version_header(bucket, row))
