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
