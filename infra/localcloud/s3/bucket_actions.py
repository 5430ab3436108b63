"""Operations on buckets themselves, and the settings that are no XML document of their own."""

from __future__ import annotations

from infra.localcloud.s3 import access_lists, bucket_policies, setting_rules, shapes
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.reception import document
from infra.localcloud.s3.request import XML, Answer, S3Request, iso_time
from infra.localcloud.s3.store import Bucket, Store, now, read_setting, write_setting

_FIRST_REGION = "us-east-1"
# What S3 gives a new bucket since April 2023.
_NEW_BUCKET = {
    "ownershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "publicAccessBlock": {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    },
}


def create_bucket(store: Store, request: S3Request) -> Answer:
    """CreateBucket."""
    shape = shapes.payload("CreateBucket")
    body = document(request)
    configuration = shapes.parse(shape, body) if body.strip() else {}
    if "Location" in configuration or "Bucket" in configuration:
        raise S3Error("NotImplemented", "The local cloud did nothing: it has no directory buckets")
    region = configuration.get("LocationConstraint") or _FIRST_REGION
    if request.region != _FIRST_REGION and region != request.region:
        raise S3Error(
            "IllegalLocationConstraintException",
            None
            if region == _FIRST_REGION
            else f"The {region} location constraint is incompatible for the region specific endpoint this request was "
            "sent to.",
        )
    if configuration.get("LocationConstraint") == _FIRST_REGION:
        raise S3Error("InvalidLocationConstraint", LocationConstraint=_FIRST_REGION)
    setting_rules.bucket_name(request.bucket)
    acl = access_lists.from_headers(request)
    lock = request.headers.get("x-amz-bucket-object-lock-enabled", "").lower() == "true"
    with store.write() as transaction:
        db = transaction.db
        old = db.execute("SELECT account FROM bucket WHERE name = ?", (request.bucket,)).fetchone()
        if old and old["account"] != request.account:
            raise S3Error("BucketAlreadyExists", BucketName=request.bucket)
        if old and (request.region != _FIRST_REGION or region != _FIRST_REGION):
            raise S3Error("BucketAlreadyOwnedByYou", BucketName=request.bucket)
        if not old:
            db.execute(
                "INSERT INTO bucket (name, account, region, created, versioning, object_lock)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (request.bucket, request.account, region, now(), "Enabled" if lock else "", lock),
            )
            bucket = store.bucket(request.bucket, db)
            ownership = request.headers.get("x-amz-object-ownership", "BucketOwnerEnforced")
            write_setting(db, bucket, "ownershipControls", {"Rules": [{"ObjectOwnership": ownership}]})
            write_setting(db, bucket, "publicAccessBlock", _NEW_BUCKET["publicAccessBlock"])
            if tags := configuration.get("Tags"):
                setting_rules.bucket_tags(store, db, bucket, {"TagSet": tags})
                write_setting(db, bucket, "tagging", {"TagSet": tags})
            if lock:
                write_setting(db, bucket, "object-lock", {"ObjectLockEnabled": "Enabled"})
            if acl:
                access_lists.check_allowed(db, bucket, acl)
                write_setting(db, bucket, "acl", acl)
    return Answer(200, {"location": f"/{request.bucket}"})


def delete_bucket(store: Store, request: S3Request) -> Answer:
    """DeleteBucket."""
    with store.write() as transaction:
        db = transaction.db
        bucket = store.bucket(request.bucket, db)
        if db.execute("SELECT 1 FROM object WHERE bucket = ? LIMIT 1", (bucket.id,)).fetchone():
            versions = "" if not bucket.versioning else ". You must delete all versions in the bucket."
            raise S3Error(
                "BucketNotEmpty", "The bucket you tried to delete is not empty" + versions, BucketName=request.bucket
            )
        parts = "SELECT body FROM part JOIN upload ON upload.id = part.upload WHERE upload.bucket = ?"
        for row in db.execute(parts, (bucket.id,)).fetchall():
            transaction.release(row["body"])
        db.execute("DELETE FROM bucket WHERE id = ?", (bucket.id,))
    return Answer(204)


def head_bucket(store: Store, request: S3Request) -> Answer:
    """HeadBucket."""
    bucket = store.bucket(request.bucket)
    return Answer(
        200,
        {
            **XML,
            "x-amz-bucket-region": bucket.region,
            "x-amz-access-point-alias": "false",
        },
    )


def list_buckets(store: Store, request: S3Request) -> Answer:
    """ListBuckets: the caller's account's, by name."""
    prefix, region = request.query.get("prefix", ""), request.query.get("bucket-region", "")
    after = request.query.get("continuation-token", "")
    limit = request.integer("max-buckets", 10000, 1)
    found = [
        bucket
        for bucket in store.buckets()
        if bucket.account == request.account
        and bucket.name.startswith(prefix)
        and bucket.name > after
        and region in ("", bucket.region)
    ]
    value = {
        "Buckets": [_listed(bucket, request) for bucket in found[:limit]],
        "Owner": {"ID": access_lists.OWNER},
        "ContinuationToken": found[limit - 1].name if len(found) > limit else None,
        "Prefix": prefix or None,
    }
    shape = shapes.output("ListBuckets")
    return Answer(200, XML, shapes.write(shape, value, "ListAllMyBucketsResult"))


def _listed(bucket: Bucket, request: S3Request) -> dict[str, str | None]:
    paged = {"max-buckets", "bucket-region", "prefix"} & set(request.query)
    return {
        "Name": bucket.name,
        "CreationDate": iso_time(bucket.created),
        "BucketRegion": bucket.region if paged else None,
    }


def get_location(store: Store, request: S3Request) -> Answer:
    """GetBucketLocation: us-east-1 is an empty element."""
    region = store.bucket(request.bucket).region
    text = "" if region == _FIRST_REGION else region
    body = f'{shapes.DECLARATION}<LocationConstraint xmlns="{shapes.NAMESPACE}">{text}</LocationConstraint>'
    return Answer(200, XML, body.encode())


def put_versioning(store: Store, request: S3Request) -> Answer:
    """PutBucketVersioning."""
    shape = shapes.payload("PutBucketVersioning")
    value = shapes.parse(shape, document(request))
    status = value.get("Status")
    if status not in ("Enabled", "Suspended"):
        raise S3Error("MalformedXML")
    if value.get("MFADelete") == "Enabled":
        raise S3Error("NotImplemented", "The local cloud did nothing: it has no MFA devices, so no MFA delete")
    with store.write() as transaction:
        bucket = store.bucket(request.bucket, transaction.db)
        if status == "Suspended" and bucket.object_lock:
            raise S3Error(
                "InvalidBucketState",
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
            )
        transaction.db.execute("UPDATE bucket SET versioning = ? WHERE id = ?", (status, bucket.id))
    return Answer()


def get_versioning(store: Store, request: S3Request) -> Answer:
    """GetBucketVersioning: empty in a bucket that never had versions."""
    value = {"Status": store.bucket(request.bucket).versioning or None}
    shape = shapes.output("GetBucketVersioning")
    return Answer(200, XML, shapes.write(shape, value, "VersioningConfiguration"))


def put_policy(store: Store, request: S3Request) -> Answer:
    """PutBucketPolicy."""
    text = bucket_policies.check(document(request), request.bucket)
    with store.write() as transaction:
        bucket = store.bucket(request.bucket, transaction.db)
        block = read_setting(transaction.db, bucket, "publicAccessBlock") or {}
        if block.get("BlockPublicPolicy") and bucket_policies.is_public(text):
            raise S3Error(
                "AccessDenied",
                "User is not authorized to perform: s3:PutBucketPolicy on resource: "
                f'"{bucket.arn}" because public policies are prevented by the BlockPublicPolicy setting in S3 '
                "Block Public Access.",
            )
        write_setting(transaction.db, bucket, "policy", text)
    return Answer(204)


def get_policy(store: Store, request: S3Request) -> Answer:
    """GetBucketPolicy: the text that was put."""
    return Answer(200, {"content-type": "application/json"}, _policy(store, request).encode())


def _policy(store: Store, request: S3Request) -> str:
    policy = store.setting(store.bucket(request.bucket), "policy")
    if policy is None:
        raise S3Error("NoSuchBucketPolicy", BucketName=request.bucket)
    return str(policy)


def get_policy_status(store: Store, request: S3Request) -> Answer:
    """GetBucketPolicyStatus."""
    shape = shapes.output("GetBucketPolicyStatus", "PolicyStatus")
    value = {"IsPublic": bucket_policies.is_public(_policy(store, request))}
    return Answer(200, XML, shapes.write(shape, value, "PolicyStatus"))


def put_acl(store: Store, request: S3Request) -> Answer:
    """PutBucketAcl."""
    acl = access_lists.from_request(request, document(request), "PutBucketAcl")
    with store.write() as transaction:
        bucket = store.bucket(request.bucket, transaction.db)
        access_lists.check_allowed(transaction.db, bucket, acl)
        write_setting(transaction.db, bucket, "acl", acl)
    return Answer()


def get_acl(store: Store, request: S3Request) -> Answer:
    """GetBucketAcl."""
    acl = store.setting(store.bucket(request.bucket), "acl") or access_lists.private()
    shape = shapes.output("GetBucketAcl")
    return Answer(200, XML, shapes.write(shape, acl, "AccessControlPolicy"))
