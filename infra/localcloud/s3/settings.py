"""The settings of a bucket that S3 keeps as XML documents: put, get, list and delete, all by the model of the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.localcloud.s3 import setting_rules, shapes
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.reception import document
from infra.localcloud.s3.request import Answer, S3Request
from infra.localcloud.s3.store import Store, write_setting

Handler = Callable[[Store, S3Request], Answer]
_SIZE_HEADER = "x-amz-transition-default-minimum-object-size"
_ENCRYPTED = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}


@dataclass(frozen=True)
class Setting:
    """A kind of setting.

    Attributes:
        name: The sub-resource.
        put: The operation that sets it; its payload's shape is that of the document.
        missing: The error code if it is not set, or None if the answer is then an empty document.
        rule: S3's checks.
        default: What a bucket has that was never given one.
        put_status: The HTTP status of a successful put.
    """

    name: str
    put: str
    missing: str | None = None
    rule: setting_rules.Rule | None = None
    default: Any = None
    put_status: int = 200


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("accelerate", "PutBucketAccelerateConfiguration", rule=setting_rules.accelerate),
        Setting("cors", "PutBucketCors", "NoSuchCORSConfiguration", setting_rules.cors),
        Setting("encryption", "PutBucketEncryption", rule=setting_rules.encryption, default=_ENCRYPTED),
        Setting(
            "lifecycle", "PutBucketLifecycleConfiguration", "NoSuchLifecycleConfiguration", setting_rules.lifecycle
        ),
        Setting("logging", "PutBucketLogging", rule=setting_rules.logging),
        Setting("notification", "PutBucketNotificationConfiguration", rule=setting_rules.notification),
        Setting(
            "object-lock",
            "PutObjectLockConfiguration",
            "ObjectLockConfigurationNotFoundError",
            setting_rules.object_lock,
        ),
        Setting(
            "ownershipControls",
            "PutBucketOwnershipControls",
            "OwnershipControlsNotFoundError",
            setting_rules.ownership,
        ),
        Setting(
            "publicAccessBlock",
            "PutPublicAccessBlock",
            "NoSuchPublicAccessBlockConfiguration",
            setting_rules.public_access,
        ),
        Setting(
            "replication",
            "PutBucketReplication",
            "ReplicationConfigurationNotFoundError",
            setting_rules.replication,
        ),
        Setting("requestPayment", "PutBucketRequestPayment", default={"Payer": "BucketOwner"}),
        Setting("tagging", "PutBucketTagging", "NoSuchTagSet", setting_rules.bucket_tags, put_status=204),
        Setting("website", "PutBucketWebsite", "NoSuchWebsiteConfiguration", setting_rules.website),
    )
}
# Settings of which a bucket has several, each with an id: the operation that puts one, and the answer of the list.
COLLECTIONS = {
    "analytics": ("PutBucketAnalyticsConfiguration", "ListBucketAnalyticsConfigurationResult"),
    "intelligent-tiering": (
        "PutBucketIntelligentTieringConfiguration",
        "ListBucketIntelligentTieringConfigurationsOutput",
    ),
    "inventory": ("PutBucketInventoryConfiguration", "ListInventoryConfigurationsResult"),
    "metrics": ("PutBucketMetricsConfiguration", "ListMetricsConfigurationsResult"),
}


def put_setting(name: str) -> Handler:
    """Makes the handler that sets a setting."""
    setting = SETTINGS[name]

    def handle(store: Store, request: S3Request) -> Answer:
        shape = shapes.payload(setting.put)
        value = shapes.parse(shape, document(request))
        size = request.headers.get(_SIZE_HEADER)
        with store.write() as transaction:
            bucket = store.bucket(request.bucket, transaction.db)
            if setting.rule:
                value = setting.rule(store, transaction.db, bucket, value)
            if name == "lifecycle":
                value["TransitionDefaultMinimumObjectSize"] = size or "all_storage_classes_128K"
            write_setting(transaction.db, bucket, name, value)
        return Answer(setting.put_status, {_SIZE_HEADER: size} if size else {})

    return handle


def get_setting(name: str) -> Handler:
    """Makes the handler that answers with a setting."""
    setting = SETTINGS[name]

    def handle(store: Store, request: S3Request) -> Answer:
        bucket = store.bucket(request.bucket)
        value = store.setting(bucket, name)
        if value is None:
            value = setting.default
        if value is None and setting.missing:
            raise S3Error(setting.missing, BucketName=request.bucket)
        shape = shapes.payload(setting.put)
        headers = {"content-type": "application/xml"}
        if name == "lifecycle":
            headers[_SIZE_HEADER] = value["TransitionDefaultMinimumObjectSize"]
        return Answer(200, headers, shapes.write(shape, value or {}, shape.serialization["name"]))

    return handle


def delete_setting(name: str) -> Handler:
    """Makes the handler that deletes a setting, if it is there."""

    def handle(store: Store, request: S3Request) -> Answer:
        store.put_setting(request.bucket, name, None)
        return Answer(204)

    return handle


def put_member(name: str) -> Handler:
    """Makes the handler that sets one of several settings."""
    operation, _ = COLLECTIONS[name]

    def handle(store: Store, request: S3Request) -> Answer:
        shape = shapes.payload(operation)
        value = shapes.parse(shape, document(request))
        if value["Id"] != request.query["id"]:
            raise S3Error("InvalidArgument", "The id in the body is not the one in the query", ArgumentName="id")
        store.put_setting(request.bucket, name, value, value["Id"])
        return Answer(204 if name in ("metrics", "inventory") else 200)

    return handle


def get_member(name: str) -> Handler:
    """Makes the handler that answers with one of several settings."""
    operation, _ = COLLECTIONS[name]

    def handle(store: Store, request: S3Request) -> Answer:
        value = store.setting(store.bucket(request.bucket), name, request.query["id"])
        if value is None:
            raise S3Error("NoSuchConfiguration")
        shape = shapes.payload(operation)
        return Answer(200, {"content-type": "application/xml"}, shapes.write(shape, value, shape.serialization["name"]))

    return handle


def list_members(name: str) -> Handler:
    """Makes the handler that lists several settings."""
    operation, root = COLLECTIONS[name]
    listing = operation.replace("Put", "List") + "s"

    def handle(store: Store, request: S3Request) -> Answer:
        bucket = store.bucket(request.bucket)
        with store.index.read() as db:
            ids = [
                row[0]
                for row in db.execute(
                    "SELECT id FROM setting WHERE bucket = ? AND name = ? ORDER BY id", (bucket.id, name)
                )
            ]
        values = [value for id_ in ids if (value := store.setting(bucket, name, id_)) is not None]
        shape = shapes.output(listing)
        member = next(key for key in shape.members if key.endswith("List"))
        body = shapes.write(shape, {"IsTruncated": False, member: values}, root)
        return Answer(200, {"content-type": "application/xml"}, body)

    return handle


def delete_member(name: str) -> Handler:
    """Makes the handler that deletes one of several settings."""

    def handle(store: Store, request: S3Request) -> Answer:
        with store.write() as transaction:
            bucket = store.bucket(request.bucket, transaction.db)
            deleted = transaction.db.execute(
                "DELETE FROM setting WHERE bucket = ? AND name = ? AND id = ?", (bucket.id, name, request.query["id"])
            )
            if not deleted.rowcount:
                raise S3Error("NoSuchConfiguration")
        return Answer(204)

    return handle
