"""ACLs of buckets and objects: canned ones, those in headers and those in bodies; and the bucket's refusal of them."""

from __future__ import annotations

import sqlite3
from typing import Any

from infra.localcloud.s3 import shapes
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.request import S3Request
from infra.localcloud.s3.store import Bucket, read_setting

# The account's canonical user id, as an owner in listings and ACLs.
OWNER = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
_ALL = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
_KNOWN = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}
_LOGS = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}
_CANNED: dict[str, list[tuple[dict[str, str], str]]] = {
    "private": [],
    "public-read": [(_ALL, "READ")],
    "public-read-write": [(_ALL, "READ"), (_ALL, "WRITE")],
    "authenticated-read": [(_KNOWN, "READ")],
    "aws-exec-read": [],
    "bucket-owner-read": [],
    "bucket-owner-full-control": [],
    "log-delivery-write": [(_LOGS, "READ_ACP"), (_LOGS, "WRITE")],
}
_GRANT_HEADERS = {
    "x-amz-grant-read": "READ",
    "x-amz-grant-write": "WRITE",
    "x-amz-grant-read-acp": "READ_ACP",
    "x-amz-grant-write-acp": "WRITE_ACP",
    "x-amz-grant-full-control": "FULL_CONTROL",
}
# An access control policy: {"Owner": {...}, "Grants": [...]}.
Acl = dict[str, Any]


def private() -> Acl:
    """The ACL of what was put without one: full control for the owner."""
    return _acl([])


def _acl(grants: list[tuple[dict[str, str], str]]) -> Acl:
    owner = ({"Type": "CanonicalUser", "ID": OWNER}, "FULL_CONTROL")
    return {
        "Owner": {"ID": OWNER},
        "Grants": [{"Grantee": grantee, "Permission": permission} for grantee, permission in [owner, *grants]],
    }


def from_headers(request: S3Request) -> Acl | None:
    """The ACL that a request's headers give; None if they give none.

    Raises:
        S3Error: It is not valid.
    """
    canned = request.headers.get("x-amz-acl", "")
    grants = [
        (_grantee(text.strip()), permission)
        for header, permission in _GRANT_HEADERS.items()
        for text in request.headers.get(header, "").split(",")
        if text.strip()
    ]
    if canned and grants:
        raise S3Error("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
    if canned:
        if canned not in _CANNED:
            raise S3Error("InvalidArgument", ArgumentName="x-amz-acl", ArgumentValue=canned)
        return _acl(_CANNED[canned])
    if grants:
        acl = _acl(grants)
        del acl["Grants"][0]
        return acl
    return None


def _grantee(text: str) -> dict[str, str]:
    kind, _, value = text.partition("=")
    value = value.strip().strip('"')
    match kind.strip().lower():
        case "id":
            return {"Type": "CanonicalUser", "ID": value}
        case "uri":
            return {"Type": "Group", "URI": value}
        case "emailaddress":
            return {"Type": "AmazonCustomerByEmail", "EmailAddress": value}
    raise S3Error("InvalidArgument", "Argument format not recognized", ArgumentName="x-amz-grant", ArgumentValue=text)


def from_request(request: S3Request, document: bytes, operation: str) -> Acl:
    """The ACL that PutBucketAcl or PutObjectAcl gives, in its headers or its body.

    Raises:
        S3Error: There is none, or it is not valid.
    """
    acl = from_headers(request)
    if acl is not None:
        return acl
    shape = shapes.payload(operation)
    try:
        acl = shapes.parse(shape, document)
    except S3Error as error:
        if error.code == "MalformedXML":
            raise S3Error("MalformedACLError") from None
        raise
    if not acl.get("Owner") or any("Type" not in grant.get("Grantee", {}) for grant in acl.get("Grants", [])):
        raise S3Error("MalformedACLError")
    return acl


def check_allowed(db: sqlite3.Connection, bucket: Bucket, acl: Acl) -> None:
    """Refuses an ACL that the bucket's ownership controls or its public access block forbid.

    Raises:
        S3Error: The ACL is refused.
    """
    others = [grant for grant in acl.get("Grants", []) if grant["Grantee"].get("ID") != OWNER]
    ownership = read_setting(db, bucket, "ownershipControls")
    if ownership and ownership["Rules"][0]["ObjectOwnership"] == "BucketOwnerEnforced" and others:
        raise S3Error("AccessControlListNotSupported")
    block = read_setting(db, bucket, "publicAccessBlock") or {}
    if block.get("BlockPublicAcls") and any(
        grant["Grantee"].get("URI") in (_ALL["URI"], _KNOWN["URI"]) for grant in others
    ):
        raise S3Error(
            "AccessDenied",
            "User is not authorized to set a public ACL because public ACLs are blocked by the "
            "BlockPublicAcls setting in S3 Block Public Access.",
        )


def grants_logs(acl: Acl) -> bool:
    """Whether the log delivery group may write and read the ACL."""
    permissions = {
        grant["Permission"] for grant in acl.get("Grants", []) if grant["Grantee"].get("URI") == _LOGS["URI"]
    }
    return "FULL_CONTROL" in permissions or {"WRITE", "READ_ACP"} <= permissions
