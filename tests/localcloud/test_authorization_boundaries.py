"""Permissions boundaries of roles, through real clients."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.policed_roles import TRUST, allow, assume, document, refused

pytestmark = pytest.mark.stack


def test_a_boundary_limits_a_role_until_it_is_deleted(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=document(allow("s3:ListAllMyBuckets")))
    arn = limit["Policy"]["Arn"]
    made = iam.create_role(RoleName="limited", AssumeRolePolicyDocument=document(TRUST), PermissionsBoundary=arn)
    everything = document(allow("*"))
    iam.put_role_policy(RoleName="limited", PolicyName="own", PolicyDocument=everything)
    described = iam.get_role(RoleName="limited")["Role"]["PermissionsBoundary"]
    assert described == {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}
    keys = assume(cloud, made["Role"]["Arn"])

    def list_tables() -> Any:
        return cloud.client("dynamodb", **keys).list_tables()

    assert cloud.client("s3", **keys).list_buckets()
    assert "no permissions boundary allows the dynamodb:ListTables action" in refused(list_tables)[2]
    iam.delete_role_permissions_boundary(RoleName="limited")
    assert list_tables()
    iam.put_role_permissions_boundary(RoleName="limited", PermissionsBoundary=arn)
    assert "no permissions boundary" in refused(list_tables)[2]


def test_a_boundary_that_is_no_policy_is_refused(cloud: Cloud) -> None:
    wrong = f"arn:aws:s3:::{ACCOUNT}"
    with pytest.raises(Exception, match="PermissionsBoundary"):
        cloud.client("iam").create_role(
            RoleName="wrong", AssumeRolePolicyDocument=document(TRUST), PermissionsBoundary=wrong
        )


def test_who_may_change_bounded_roles_only_changes_no_other(cloud: Cloud, as_role: Any) -> None:
    """iam:PermissionsBoundary is the boundary of the role that a request names, where the request has none itself."""
    iam = cloud.client("iam")
    arn = iam.create_policy(PolicyName="bound", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    for name, more in (("bounded", {"PermissionsBoundary": arn}), ("free", {})):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(TRUST), **more)
    bounded = {"StringEquals": {"iam:PermissionsBoundary": arn}}
    changer = as_role(allow("iam:PutRolePolicy", Condition=bounded))("iam")
    put = {"PolicyName": "own", "PolicyDocument": document(allow("s3:GetObject"))}
    changer.put_role_policy(RoleName="bounded", **put)
    assert "iam:PutRolePolicy" in refused(lambda: changer.put_role_policy(RoleName="free", **put))[2]


def test_a_key_is_known_by_its_alias(cloud: Cloud, as_role: Any) -> None:
    kms = cloud.client("kms")
    named, other = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    kms.create_alias(AliasName="alias/named", TargetKeyId=named)
    condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/named"}}
    reader = as_role(allow("kms:DescribeKey", Condition=condition))("kms")
    assert reader.describe_key(KeyId=named)["KeyMetadata"]["Arn"] == named
    assert "kms:DescribeKey" in refused(lambda: reader.describe_key(KeyId=other))[2]
