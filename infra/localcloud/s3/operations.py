"""Every operation of S3: what answers it, or why it is refused. What is only kept as state says what does not act."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from infra.localcloud.s3 import (
    bucket_actions,
    completion,
    copy_actions,
    detail_actions,
    listing_actions,
    object_actions,
    settings,
    upload_actions,
)
from infra.localcloud.s3.request import Answer, S3Request
from infra.localcloud.s3.store import Store

Handler = Callable[[Store, S3Request], Answer]


class Operation(NamedTuple):
    """How an operation is answered.

    Attributes:
        handler: What answers it; None if it is refused.
        inert: For an operation that only keeps state: what does not act. Empty for one that executes.
        refusal: For a refused operation: why.
    """

    handler: Handler | None
    inert: str = ""
    refusal: str = ""

    @property
    def kind(self) -> str:
        """``executes``, ``state only`` or ``refused``."""
        return "refused" if self.handler is None else "state only" if self.inert else "executes"


_INERT = {
    "accelerate": "no endpoint is faster",
    "lifecycle": "no rule ever deletes or moves an object",
    "logging": "no access log is written",
    "notification": "no event is sent; queues, topics and functions are refused",
    "replication": "nothing is replicated",
    "requestPayment": "nobody is charged",
    "website": "no website endpoint serves the bucket",
    "encryption": "bodies lie on the disk unencrypted; the headers are those of S3",
    "analytics": "nothing is analyzed",
    "intelligent-tiering": "no object changes its tier",
    "inventory": "no report is written",
    "metrics": "no metric is published",
}
_SETTINGS = {
    "accelerate": ("GetBucketAccelerateConfiguration", ""),
    "cors": ("GetBucketCors", "DeleteBucketCors"),
    "encryption": ("GetBucketEncryption", "DeleteBucketEncryption"),
    "lifecycle": ("GetBucketLifecycleConfiguration", "DeleteBucketLifecycle"),
    "logging": ("GetBucketLogging", ""),
    "notification": ("GetBucketNotificationConfiguration", ""),
    "object-lock": ("GetObjectLockConfiguration", ""),
    "ownershipControls": ("GetBucketOwnershipControls", "DeleteBucketOwnershipControls"),
    "publicAccessBlock": ("GetPublicAccessBlock", "DeletePublicAccessBlock"),
    "replication": ("GetBucketReplication", "DeleteBucketReplication"),
    "requestPayment": ("GetBucketRequestPayment", ""),
    "tagging": ("GetBucketTagging", "DeleteBucketTagging"),
    "website": ("GetBucketWebsite", "DeleteBucketWebsite"),
}
_EXECUTED: dict[str, Handler] = {
    "AbortMultipartUpload": upload_actions.abort_upload,
    "CompleteMultipartUpload": completion.complete_upload,
    "CopyObject": copy_actions.copy_object,
    "CreateBucket": bucket_actions.create_bucket,
    "CreateMultipartUpload": upload_actions.create_upload,
    "DeleteBucket": bucket_actions.delete_bucket,
    "DeleteBucketPolicy": settings.delete_setting("policy"),
    "DeleteObject": object_actions.delete_object,
    "DeleteObjectTagging": detail_actions.delete_tags,
    "DeleteObjects": object_actions.delete_objects,
    "GetBucketAcl": bucket_actions.get_acl,
    "GetBucketLocation": bucket_actions.get_location,
    "GetBucketPolicy": bucket_actions.get_policy,
    "GetBucketPolicyStatus": bucket_actions.get_policy_status,
    "GetBucketVersioning": bucket_actions.get_versioning,
    "GetObject": object_actions.get_object,
    "GetObjectAcl": detail_actions.get_acl,
    "GetObjectAttributes": detail_actions.get_attributes,
    "GetObjectLegalHold": detail_actions.get_legal_hold,
    "GetObjectRetention": detail_actions.get_retention,
    "GetObjectTagging": detail_actions.get_tags,
    "HeadBucket": bucket_actions.head_bucket,
    "HeadObject": object_actions.head_object,
    "ListBuckets": bucket_actions.list_buckets,
    "ListMultipartUploads": upload_actions.list_uploads,
    "ListObjectVersions": listing_actions.list_versions,
    "ListObjects": listing_actions.list_objects,
    "ListObjectsV2": listing_actions.list_objects_v2,
    "ListParts": upload_actions.list_parts,
    "PutBucketAcl": bucket_actions.put_acl,
    "PutBucketPolicy": bucket_actions.put_policy,
    "PutBucketVersioning": bucket_actions.put_versioning,
    "PutObject": object_actions.put_object,
    "PutObjectAcl": detail_actions.put_acl,
    "PutObjectLegalHold": detail_actions.put_legal_hold,
    "PutObjectRetention": detail_actions.put_retention,
    "PutObjectTagging": detail_actions.put_tags,
    "RestoreObject": detail_actions.restore,
    "UploadPart": upload_actions.upload_part,
    "UploadPartCopy": upload_actions.upload_part_copy,
}
_ACCOUNT_WIDE = "only the express endpoint of directory buckets has it"
_METADATA = "there are no S3 tables to hold a bucket's metadata"
_REFUSED = {
    "CreateBucketMetadataConfiguration": _METADATA,
    "CreateBucketMetadataTableConfiguration": _METADATA,
    "CreateSession": _ACCOUNT_WIDE,
    "DeleteBucketMetadataConfiguration": _METADATA,
    "DeleteBucketMetadataTableConfiguration": _METADATA,
    "DeleteObjectAnnotation": "objects have no annotations here",
    "GetBucketAbac": "access by bucket tags is not evaluated",
    "GetBucketMetadataConfiguration": _METADATA,
    "GetBucketMetadataTableConfiguration": _METADATA,
    "GetObjectAnnotation": "objects have no annotations here",
    "GetObjectTorrent": "S3 has no torrents any more",
    "ListDirectoryBuckets": _ACCOUNT_WIDE,
    "ListObjectAnnotations": "objects have no annotations here",
    "PutBucketAbac": "access by bucket tags is not evaluated",
    "PutObjectAnnotation": "objects have no annotations here",
    "RenameObject": "only directory buckets rename objects",
    "SelectObjectContent": "S3 Select is closed to new customers of AWS; use Athena",
    "UpdateBucketMetadataAnnotationTableConfiguration": _METADATA,
    "UpdateBucketMetadataInventoryTableConfiguration": _METADATA,
    "UpdateBucketMetadataJournalTableConfiguration": _METADATA,
    "UpdateObjectEncryption": "an object keeps the encryption with which it was put; copy it instead",
    "WriteGetObjectResponse": "there is no S3 Object Lambda",
}


def _table() -> dict[str, Operation]:
    table = {name: Operation(handler) for name, handler in _EXECUTED.items()}
    for name, (get, delete) in _SETTINGS.items():
        inert = _INERT.get(name, "")
        table[settings.SETTINGS[name].put] = Operation(settings.put_setting(name), inert)
        table[get] = Operation(settings.get_setting(name), inert)
        if delete:
            table[delete] = Operation(settings.delete_setting(name), inert)
    for name, (put, _) in settings.COLLECTIONS.items():
        inert = _INERT[name]
        table[put] = Operation(settings.put_member(name), inert)
        table[put.replace("Put", "Get")] = Operation(settings.get_member(name), inert)
        table[put.replace("Put", "Delete")] = Operation(settings.delete_member(name), inert)
        table[put.replace("Put", "List") + "s"] = Operation(settings.list_members(name), inert)
    # The older names of four operations, which have the same path.
    for old, new in (
        ("GetBucketLifecycle", "GetBucketLifecycleConfiguration"),
        ("PutBucketLifecycle", "PutBucketLifecycleConfiguration"),
        ("GetBucketNotification", "GetBucketNotificationConfiguration"),
        ("PutBucketNotification", "PutBucketNotificationConfiguration"),
    ):
        table[old] = table[new]
    table.update({name: Operation(None, refusal=reason) for name, reason in _REFUSED.items()})
    return table


OPERATIONS = _table()
