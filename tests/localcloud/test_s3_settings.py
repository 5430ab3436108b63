"""Settings of buckets: what was put comes back as it was put, and what was not is absent with S3's own code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.localcloud.s3 import bucket_policies
from infra.localcloud.s3.errors import S3Error
from tests.support.s3_buckets import error_code, new_bucket

pytestmark = pytest.mark.stack
LIFECYCLE = [
    {
        "ID": "everything",
        "Status": "Enabled",
        "Filter": {
            "And": {
                "Prefix": "p/",
                "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}],
                "ObjectSizeGreaterThan": 1,
                "ObjectSizeLessThan": 9,
            }
        },
        "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER"}],
        "Expiration": {"Days": 365},
        "NoncurrentVersionTransitions": [
            {"NoncurrentDays": 30, "NewerNoncurrentVersions": 2, "StorageClass": "STANDARD_IA"}
        ],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 60, "NewerNoncurrentVersions": 3},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    },
    {"ID": "size", "Status": "Disabled", "Filter": {"ObjectSizeGreaterThan": 500}, "Expiration": {"Days": 1}},
    {"ID": "less", "Status": "Enabled", "Filter": {"ObjectSizeLessThan": 500}, "Expiration": {"Days": 1}},
    {"ID": "tag", "Status": "Enabled", "Filter": {"Tag": {"Key": "a", "Value": "1"}}, "Expiration": {"Days": 1}},
    {"ID": "all", "Status": "Enabled", "Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
    {"ID": "prefix", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}},
    {"ID": "old", "Status": "Enabled", "Prefix": "old/", "Expiration": {"Days": 1}},
]
INVENTORY = {
    "Id": "i",
    "IsEnabled": True,
    "IncludedObjectVersions": "Current",
    "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::x", "Format": "CSV"}},
    "Schedule": {"Frequency": "Daily"},
    "OptionalFields": ["Size", "ETag"],
    "Filter": {"Prefix": "p"},
}
ANALYTICS = {"Id": "i", "Filter": {"Prefix": "p"}, "StorageClassAnalysis": {}}
TIERING = {"Id": "i", "Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]}
# The method's suffix, the request's member, its value, the error when it is absent (None: no error).
SETTINGS: list[tuple[str, str, Any, str | None]] = [
    ("bucket_lifecycle_configuration", "LifecycleConfiguration", {"Rules": LIFECYCLE}, "NoSuchLifecycleConfiguration"),
    (
        "bucket_cors",
        "CORSConfiguration",
        {
            "CORSRules": [
                {
                    "ID": "c",
                    "AllowedMethods": ["GET", "PUT"],
                    "AllowedOrigins": ["https://*.example.com"],
                    "AllowedHeaders": ["*"],
                    "ExposeHeaders": ["ETag"],
                    "MaxAgeSeconds": 5,
                }
            ]
        },
        "NoSuchCORSConfiguration",
    ),
    ("bucket_tagging", "Tagging", {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]}, "NoSuchTagSet"),
    (
        "bucket_website",
        "WebsiteConfiguration",
        {
            "IndexDocument": {"Suffix": "index.html"},
            "ErrorDocument": {"Key": "error.html"},
            "RoutingRules": [
                {"Condition": {"KeyPrefixEquals": "a/"}, "Redirect": {"ReplaceKeyPrefixWith": "b/"}},
            ],
        },
        "NoSuchWebsiteConfiguration",
    ),
    ("bucket_request_payment", "RequestPaymentConfiguration", {"Payer": "Requester"}, None),
    ("bucket_accelerate_configuration", "AccelerateConfiguration", {"Status": "Enabled"}, None),
    ("bucket_notification_configuration", "NotificationConfiguration", {"EventBridgeConfiguration": {}}, None),
    ("bucket_versioning", "VersioningConfiguration", {"Status": "Suspended"}, None),
]


@pytest.fixture(scope="module")
def s3(cloud: Any) -> Any:
    return cloud.client("s3")


def answer(call: Any, **arguments: Any) -> dict[str, Any]:
    got = call(**arguments)
    del got["ResponseMetadata"]
    return dict(got)


@pytest.mark.parametrize(("name", "member", "value", "missing"), SETTINGS, ids=[entry[0] for entry in SETTINGS])
def test_a_setting_comes_back_and_goes(s3: Any, name: str, member: str, value: Any, missing: str | None) -> None:
    bucket = new_bucket(s3)
    get = getattr(s3, f"get_{name}")
    if missing:
        assert error_code(get, Bucket=bucket) == missing
    else:
        assert answer(get, Bucket=bucket) in ({}, {"Payer": "BucketOwner"})
    getattr(s3, f"put_{name}")(Bucket=bucket, **{member: value})
    got = answer(get, Bucket=bucket)
    got.pop("TransitionDefaultMinimumObjectSize", None)
    assert got == value
    if missing:
        getattr(s3, f"delete_{name.removesuffix('_configuration')}")(Bucket=bucket)
        assert error_code(get, Bucket=bucket) == missing


@pytest.mark.parametrize(
    ("name", "value"),
    [("inventory", INVENTORY), ("analytics", ANALYTICS), ("intelligent_tiering", TIERING), ("metrics", {"Id": "i"})],
)
def test_settings_of_which_a_bucket_has_several(s3: Any, name: str, value: dict[str, Any]) -> None:
    bucket = new_bucket(s3)
    member = "".join(part.capitalize() for part in name.split("_")) + "Configuration"
    place = {"Bucket": bucket, "Id": "i"}
    assert error_code(getattr(s3, f"get_bucket_{name}_configuration"), **place) == "NoSuchConfiguration"
    getattr(s3, f"put_bucket_{name}_configuration")(**{member: value}, **place)
    assert answer(getattr(s3, f"get_bucket_{name}_configuration"), **place) == {member: value}
    assert answer(getattr(s3, f"list_bucket_{name}_configurations"), Bucket=bucket)[f"{member}List"] == [value]
    getattr(s3, f"delete_bucket_{name}_configuration")(**place)
    assert error_code(getattr(s3, f"get_bucket_{name}_configuration"), **place) == "NoSuchConfiguration"
    s3.head_bucket(Bucket=bucket)


def test_what_a_new_bucket_has(s3: Any) -> None:
    bucket = new_bucket(s3)
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    s3.delete_public_access_block(Bucket=bucket)
    assert error_code(s3.get_public_access_block, Bucket=bucket) == "NoSuchPublicAccessBlockConfiguration"
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert error_code(s3.put_bucket_acl, Bucket=bucket, ACL="public-read") == "AccessControlListNotSupported"
    preferred = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=preferred)
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert [grant["Permission"] for grant in s3.get_bucket_acl(Bucket=bucket)["Grants"]] == ["FULL_CONTROL", "READ"]
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    assert error_code(s3.get_bucket_ownership_controls, Bucket=bucket) == "OwnershipControlsNotFoundError"
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    default = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
    assert encryption == default
    kms = [
        {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:key"},
            "BucketKeyEnabled": True,
        }
    ]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": kms})
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == kms
    s3.delete_bucket_encryption(Bucket=bucket)
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == default
    assert error_code(s3.get_object_lock_configuration, Bucket=bucket) == "ObjectLockConfigurationNotFoundError"
    assert error_code(s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucketPolicy"
    assert error_code(s3.get_bucket_replication, Bucket=bucket) == "ReplicationConfigurationNotFoundError"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None


def test_the_default_size_of_transitions(s3: Any) -> None:
    bucket = new_bucket(s3)
    given = {"TransitionDefaultMinimumObjectSize": "varies_by_storage_class"}
    rules = {"Rules": LIFECYCLE[1:2]}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=rules, **given)
    got = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert got["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"


WRONG_RULES = [
    ({"Filter": {"Prefix": "a", "ObjectSizeLessThan": 1}, "Expiration": {"Days": 1}}, "MalformedXML"),
    ({"Filter": {"And": {"Prefix": "a"}}, "Expiration": {"Days": 1}}, "MalformedXML"),
    ({"Prefix": "a", "Filter": {"Prefix": "a"}, "Expiration": {"Days": 1}}, "MalformedXML"),
    ({"Expiration": {"Days": 1}}, "MalformedXML"),
    ({"Filter": {"Prefix": "a"}}, "InvalidRequest"),
    ({"Filter": {"Prefix": "a"}, "Expiration": {"Days": 0}}, "InvalidArgument"),
    ({"Filter": {}, "Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": True}}, "MalformedXML"),
    ({"Filter": {}, "Expiration": {"Date": "2030-01-01T05:00:00Z"}}, "InvalidArgument"),
    ({"Filter": {}, "NoncurrentVersionExpiration": {"NewerNoncurrentVersions": 3}}, "MalformedXML"),
]


@pytest.mark.parametrize(("rule", "code"), WRONG_RULES)
def test_wrong_lifecycle_rules(s3: Any, rule: dict[str, Any], code: str) -> None:
    bucket = new_bucket(s3)
    rules = {"Rules": [{"ID": "r", "Status": "Enabled", **rule}]}
    assert error_code(s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration=rules) == code
    assert error_code(s3.get_bucket_lifecycle_configuration, Bucket=bucket) == "NoSuchLifecycleConfiguration"


def test_targets_of_notifications_are_refused(s3: Any) -> None:
    bucket = new_bucket(s3)
    for name, member, arn in (
        ("QueueConfigurations", "QueueArn", "arn:aws:sqs:us-east-1:123456789012:q"),
        ("TopicConfigurations", "TopicArn", "arn:aws:sns:us-east-1:123456789012:t"),
        ("LambdaFunctionConfigurations", "LambdaFunctionArn", "arn:aws:lambda:us-east-1:123456789012:function:f"),
    ):
        target = {name: [{member: arn, "Events": ["s3:ObjectCreated:*"]}]}
        put = s3.put_bucket_notification_configuration
        assert error_code(put, Bucket=bucket, NotificationConfiguration=target) == "NotImplemented"


def test_logging_to_a_bucket_with_the_services_policy(s3: Any) -> None:
    bucket, target = new_bucket(s3), new_bucket(s3)
    status = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "logs/"}}
    assert answer(s3.get_bucket_logging, Bucket=bucket) == {}
    put = s3.put_bucket_logging
    assert error_code(put, Bucket=bucket, BucketLoggingStatus=status) == "InvalidTargetBucketForLogging"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{target}/logs/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=target, Policy=json.dumps(policy))
    assert json.loads(s3.get_bucket_policy(Bucket=target)["Policy"]) == policy
    put(Bucket=bucket, BucketLoggingStatus=status)
    assert answer(s3.get_bucket_logging, Bucket=bucket) == status
    put(Bucket=bucket, BucketLoggingStatus={})
    assert answer(s3.get_bucket_logging, Bucket=bucket) == {}
    missing = {"LoggingEnabled": {"TargetBucket": "no-such-bucket", "TargetPrefix": ""}}
    assert error_code(put, Bucket=bucket, BucketLoggingStatus=missing) == "InvalidTargetBucketForLogging"


def test_replication(s3: Any) -> None:
    bucket, target = new_bucket(s3), new_bucket(s3)
    rule = {
        "ID": "r",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": "p/"},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{target}", "StorageClass": "STANDARD_IA"},
    }
    configuration = {"Role": "arn:aws:iam::123456789012:role/r", "Rules": [rule]}
    put = s3.put_bucket_replication
    assert error_code(put, Bucket=bucket, ReplicationConfiguration=configuration) == "InvalidRequest"
    for name in (bucket, target):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    put(Bucket=bucket, ReplicationConfiguration=configuration)
    assert s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"] == configuration


def test_object_lock(s3: Any) -> None:
    bucket = new_bucket(s3)
    retention = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": retention}
    put = s3.put_object_lock_configuration
    assert error_code(put, Bucket=bucket, ObjectLockConfiguration=configuration) == "InvalidBucketState"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    put(Bucket=bucket, ObjectLockConfiguration=configuration)
    assert s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"] == configuration
    s3.put_object(Bucket=bucket, Key="k")
    assert s3.head_object(Bucket=bucket, Key="k")["ObjectLockMode"] == "GOVERNANCE"
    suspend = {"Status": "Suspended"}
    assert error_code(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=suspend) == "InvalidBucketState"


def statement(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", **changes}


@pytest.mark.parametrize(
    "document",
    [
        "no json",
        "[]",
        "{}",
        json.dumps({"Statement": [statement(Effect="Maybe")]}),
        json.dumps({"Statement": [statement(Resource="arn:aws:s3:::other/*")]}),
        json.dumps({"Statement": [statement(Action="ec2:RunInstances")]}),
        json.dumps({"Version": "2020-01-01", "Statement": [statement()]}),
        json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b"}]}),
    ],
)
def test_malformed_policies(document: str) -> None:
    with pytest.raises(S3Error) as caught:
        bucket_policies.check(document.encode(), "b")
    assert caught.value.code == "MalformedPolicy"


def test_public_policies(s3: Any) -> None:
    bucket = new_bucket(s3)
    public = json.dumps({"Statement": [statement(Resource=f"arn:aws:s3:::{bucket}/*")]})
    assert error_code(s3.put_bucket_policy, Bucket=bucket, Policy=public) == "AccessDenied"
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=public)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]
    bound = statement(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})
    assert not bucket_policies.is_public(json.dumps({"Statement": [bound]}))


def test_buckets(s3: Any) -> None:
    bucket = new_bucket(s3)
    s3.create_bucket(Bucket=bucket)
    for name in ("Upper", "ab", "a..b", "1.2.3.4", "x" * 64):
        raw = s3.meta.client if hasattr(s3.meta, "client") else s3
        assert error_code(raw.create_bucket, Bucket=name) == "InvalidBucketName"
    for call in (s3.head_bucket, s3.list_objects_v2, s3.delete_bucket, s3.get_bucket_location):
        assert error_code(call, Bucket="no-such-bucket") in ("NoSuchBucket", "404")
    assert error_code(s3.head_bucket, Bucket=bucket, ExpectedBucketOwner="999999999999") == "403"
    s3.put_object(Bucket=bucket, Key="k")
    assert error_code(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"
    s3.delete_object(Bucket=bucket, Key="k")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    s3.delete_bucket(Bucket=bucket)
    assert error_code(s3.head_bucket, Bucket=bucket) == "404"
