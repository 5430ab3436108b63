"""The KMS keys of objects: an object can be written or read only while its key is enabled."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from moto.kms.models import kms_backends

from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.store import Bucket, read_setting


def default_encryption(db: sqlite3.Connection, bucket: Bucket) -> dict[str, Any]:
    """The encryption of new objects that ask for none: the bucket's, else S3's own."""
    setting = read_setting(db, bucket, "encryption")
    rule = setting["Rules"][0] if setting else {}
    default = rule.get("ApplyServerSideEncryptionByDefault", {"SSEAlgorithm": "AES256"})
    made: dict[str, Any] = {"algorithm": default["SSEAlgorithm"]}
    if key := default.get("KMSMasterKeyID"):
        made["key"] = key
    if made["algorithm"] == "aws:kms" and str(rule.get("BucketKeyEnabled", False)).lower() == "true":
        made["bucket_key"] = True
    return made


def check_usable(bucket: Bucket, encryption: Mapping[str, Any]) -> None:
    """Checks the key of an object, or of an upload.

    Args:
        bucket: The bucket of the object.
        encryption: Its encryption as it is stored.

    Raises:
        S3Error: The key is disabled, pending deletion, or unknown. AWS's default key is always there.
    """
    name = str(encryption.get("key", ""))
    if not name or "alias/aws/" in name:
        return
    region = name.split(":")[3] if name.startswith("arn:aws:kms:") and name.count(":") >= 5 else bucket.region
    backend = kms_backends[bucket.account][region]
    try:
        key = backend.keys.get(backend.any_id_to_key_id(name))
    except KeyError:
        key = None
    if key is None:
        raise S3Error("KMS.NotFoundException", f"Key '{name}' does not exist")
    if key.key_state == "PendingDeletion":
        raise S3Error("KMS.KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if not key.enabled:
        raise S3Error("KMS.DisabledException", f"{key.arn} is disabled.")
