"""What S3 checks in a bucket's setting before it keeps it, beyond the model of the API."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Callable
from typing import Any

from infra.localcloud.s3 import access_lists, bucket_policies, tags
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.objects import parse_time
from infra.localcloud.s3.store import Bucket, Store, read_setting

Setting = dict[str, Any]
# Checks a setting, and returns what is kept.
Rule = Callable[[Store, sqlite3.Connection, Bucket, Setting], Setting]
_ACTIONS = (
    "Expiration",
    "Transitions",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransitions",
    "AbortIncompleteMultipartUpload",
    "Transition",
    "NoncurrentVersionTransition",
)
_CORS_METHODS = {"GET", "PUT", "POST", "DELETE", "HEAD"}


def _with_id(rule: Setting) -> Setting:
    """S3 gives a rule without an id one of its own."""
    return {"ID": secrets.token_urlsafe(36), **{name: value for name, value in rule.items() if name != "ID" or value}}


def lifecycle(store: Store, db: sqlite3.Connection, bucket: Bucket, setting: Setting) -> Setting:
    """Lifecycle rules: one predicate or And, at least one action, days that count."""
    rules = [_with_id(rule) for rule in setting["Rules"]]
    if len({rule["ID"] for rule in rules}) != len(rules):
        raise S3Error("InvalidArgument", "Rule ID must be unique. Found same ID for one or more rules")
    for rule in rules:
        _check_filter(rule)
        if not any(name in rule for name in _ACTIONS):
            raise S3Error("InvalidRequest", "At least one action needs to be specified in a rule")
        _check_expiration(rule.get("Expiration", {}))
        if "NoncurrentDays" not in rule.get("NoncurrentVersionExpiration", {"NoncurrentDays": 1}):
            raise S3Error("MalformedXML")
        for transition in rule.get("Transitions", []):
            if ("Days" in transition) == ("Date" in transition) or "StorageClass" not in transition:
                raise S3Error("MalformedXML")
            _check_date(transition)
    return {**setting, "Rules": rules}


def _check_filter(rule: Setting) -> None:
    if ("Prefix" in rule) == ("Filter" in rule):
        raise S3Error("MalformedXML")
    filter_ = rule.get("Filter", {})
    if len(filter_) > 1:
        raise S3Error("MalformedXML")
    both = filter_.get("And")
    if both is not None and len(both) + max(len(both.get("Tags", [])) - 1, 0) < 2:
        raise S3Error("MalformedXML")


def _check_expiration(expiration: Setting) -> None:
    if "Days" in expiration and expiration["Days"] < 1:
        raise S3Error("InvalidArgument", "'Days' for Expiration action must be a positive integer")
    if len(expiration) > 1:
        raise S3Error("MalformedXML")
    _check_date(expiration)


def _check_date(action: Setting) -> None:
    """Dates are midnights; S3 gives them back with milliseconds."""
    if "Date" in action:
        date = parse_time(action["Date"])
        if (date.hour, date.minute, date.second, date.microsecond) != (0, 0, 0, 0):
            raise S3Error("InvalidArgument", "'Date' must be at midnight GMT")
        action["Date"] = date.strftime("%Y-%m-%dT00:00:00.000Z")


def cors(store: Store, db: sqlite3.Connection, bucket: Bucket, setting: Setting) -> Setting:
    """CORS rules: at most 100, with methods that S3 has."""
    if len(setting["CORSRules"]) > 100:
        raise S3Error("MalformedXML")
    for rule in setting["CORSRules"]:
        for method in rule["AllowedMethods"]:
            if method not in _CORS_METHODS:
                raise S3Error(
                    "InvalidRequest", f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
                )
    return setting


def encryption(store: Store, db: sqlite3.Connection, bucket: Bucket, setting: Setting) -> Setting:
    """Default encryption: one rule, a key only with KMS."""
    if len(setting["Rules"]) != 1:
        raise S3Error("MalformedXML")
    rule = setting["Rules"][0]
    default = rule.setdefault("ApplyServerSideEncryptionByDefault", {"SSEAlgorithm": "AES256"})
    if default["SSEAlgorithm"] == "AES256" and default.get("KMSMasterKeyID"):
        raise S3Error(
            "InvalidArgument",
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
        )
    rule.setdefault("BucketKeyEnabled", False)
    return setting


def replication(store: Store, db: sqlite3.Connection, bucket: Bucket, setting: Setting) -> Setting:
    """Replication: versions on both sides."""
    if bucket.versioning != "Enabled":
        raise S3Error(
            "InvalidRequest", "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
        )
    rules = [_with_id(rule) for rule in setting["Rules"]]
    for rule in rules:
        name = rule["Destination"]["Bucket"].rpartition(":::")[2]
        try:
            target = store.bucket(name, db)
        except S3Error:
            raise S3Error("InvalidRequest", "Destination bucket must exist.") from None
        if target.versioning != "Enabled":
            raise S3Error("InvalidRequest", "Destination bucket must have versioning enabled.")
    return {**setting, "Rules": rules}


def website(store: Store, db: sqlite3.Connection, bucket: Bucket, setting: Setting) -> Setting:
    """A website has an index document or redirects everything."""
    if "RedirectAllRequestsTo" in setting:
        if len(setting) > 1:
            raise S3Error(
                "InvalidArgument", "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."
            )
    elif "IndexDocument" not in setting:
        raise S3Error(
            "InvalidArgument", "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"
        )
    return setting


def logging(store: Store, db: sqlite3.Connection, bucket: Bucket, setting: Setting) -> Setting:
    """Access logging: the target exists, is in the same Region and lets the log delivery write."""
    enabled = setting.get("LoggingEnabled")
    if not enabled:
        return {}
    try:
        target = store.bucket(enabled["TargetBucket"], db)
    except S3Error:
        raise S3Error("InvalidTargetBucketForLogging", TargetBucket=enabled["TargetBucket"]) from None
    if target.region != bucket.region:
        raise S3Error(
            "InvalidTargetBucketForLogging", "The target bucket is in another Region", TargetBucket=target.name
        )
    policy = read_setting(db, target, "policy")
    acl = read_setting(db, target, "acl") or access_lists.private()
    if not access_lists.grants_logs(acl) and not (
        policy is not None and bucket_policies.allows_log_delivery(policy, target.name)
    ):
        raise S3Error(
            "InvalidTargetBucketForLogging",
            "You must either provide the necessary permissions to the logging "
            "service using a bucket policy or give the log-delivery group WRITE and READ_ACP permissions to the "
            "target bucket",
            TargetBucket=target.name,
        )
    return setting


def notification(store: Store, db: sqlite3.Connection, bucket: Bucket, setting: Setting) -> Setting:
    """Notifications: events go to EventBridge; other targets are refused, because no event is delivered to them."""
    targets = [
        name
        for name in ("QueueConfigurations", "TopicConfigurations", "LambdaFunctionConfigurations")
        if setting.get(name)
    ]
    if targets:
        raise S3Error(
            "NotImplemented",
            f"The local cloud did nothing: it delivers no S3 events to SQS, SNS or Lambda ({', '.join(targets)})",
        )
    return setting


def accelerate(store: Store, db: sqlite3.Connection, bucket: Bucket, setting: Setting) -> Setting:
    """Transfer acceleration needs a name without periods."""
    if "." in bucket.name:
        raise S3Error(
            "InvalidRequest", "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"
        )
    if not setting.get("Status"):
        raise S3Error("MalformedXML")
    return setting


def ownership(store: Store, db: sqlite3.Connection, bucket: Bucket, setting: Setting) -> Setting:
    """Ownership controls: one rule; enforcing the owner needs an ACL without other grants."""
    if len(setting["Rules"]) != 1:
        raise S3Error("MalformedXML")
    if setting["Rules"][0]["ObjectOwnership"] == "BucketOwnerEnforced":
        acl = read_setting(db, bucket, "acl")
        if acl and any(grant["Grantee"].get("ID") != access_lists.OWNER for grant in acl["Grants"]):
            raise S3Error(
                "InvalidRequest", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
            )
    return setting


def public_access(store: Store, db: sqlite3.Connection, bucket: Bucket, setting: Setting) -> Setting:
    """A public access block has all four members."""
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {name: setting.get(name, False) for name in names}


def object_lock(store: Store, db: sqlite3.Connection, bucket: Bucket, setting: Setting) -> Setting:
    """Object Lock needs versions; a default retention has days or years."""
    if bucket.versioning != "Enabled":
        raise S3Error(
            "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        )
    if setting.get("ObjectLockEnabled") != "Enabled":
        raise S3Error("MalformedXML")
    retention = setting.get("Rule", {}).get("DefaultRetention")
    if retention is not None:
        if "Mode" not in retention or ("Days" in retention) == ("Years" in retention):
            raise S3Error("MalformedXML")
        if retention.get("Days", retention.get("Years", 0)) < 1:
            raise S3Error("InvalidArgument", "Default retention period must be a positive integer value.")
    db.execute("UPDATE bucket SET object_lock = 1 WHERE id = ?", (bucket.id,))
    return setting


def bucket_tags(store: Store, db: sqlite3.Connection, bucket: Bucket, setting: Setting) -> Setting:
    """Tags of a bucket."""
    tags.from_set(setting["TagSet"], bucket=True)
    return setting


def bucket_name(name: str) -> None:
    """Checks the name of a new bucket.

    Raises:
        S3Error: S3 allows no such name.
    """
    wrong = (
        not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name)
        or ".." in name
        or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name)
        or name.startswith(("xn--", "sthree-", "amzn-s3-demo-"))
        or name.endswith(("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"))
    )
    if wrong:
        raise S3Error("InvalidBucketName", BucketName=name)
