"""The handlers of S3's operations. ``operations/tables/s3.yaml`` says which only keep state, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

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
_OBJECTS_AND_BUCKETS: dict[str, Handler] = {
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


def _handlers() -> dict[str, Handler]:
    handlers = dict(_OBJECTS_AND_BUCKETS)
    for name, (get, delete) in _SETTINGS.items():
        handlers[settings.SETTINGS[name].put] = settings.put_setting(name)
        handlers[get] = settings.get_setting(name)
        if delete:
            handlers[delete] = settings.delete_setting(name)
    for name, (put, _) in settings.COLLECTIONS.items():
        handlers[put] = settings.put_member(name)
        handlers[put.replace("Put", "Get")] = settings.get_member(name)
        handlers[put.replace("Put", "Delete")] = settings.delete_member(name)
        handlers[put.replace("Put", "List") + "s"] = settings.list_members(name)
    # The older names of four operations, which have the same path.
    for old, new in (
        ("GetBucketLifecycle", "GetBucketLifecycleConfiguration"),
        ("PutBucketLifecycle", "PutBucketLifecycleConfiguration"),
        ("GetBucketNotification", "GetBucketNotificationConfiguration"),
        ("PutBucketNotification", "PutBucketNotificationConfiguration"),
    ):
        handlers[old] = handlers[new]
    return handlers


HANDLERS = _handlers()
