"""Roles with policies of a test's own, and the refusals that they meet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, Cloud

BUCKET = "guarded"
TRUST = {
    "Effect": "Allow",
    "Action": "sts:AssumeRole",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root", "Service": ["glue.amazonaws.com", "sagemaker.amazonaws.com"]},
}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.fixture(scope="module")
def guarded_s3(cloud: Cloud) -> Any:
    """The operator's S3, with a bucket."""
    client = cloud.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="raw/a.json", Body=b"{}")
    return client


@pytest.fixture
def as_role(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Callable[..., Callable[[str], Any]]]:
    """``as_role(statement, …)("s3")``: a client of a new role with these statements."""
    iam = cloud.client("iam")
    made: list[str] = []

    def make(*statements: dict[str, Any], trust: dict[str, Any] | None = None, **session: Any) -> Callable[[str], Any]:
        name = f"r{abs(hash(request.node.name)) % 10**9}-{len(made)}"
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust or TRUST))["Role"]["Arn"]
        made.append(name)
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        keys = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="test", **session)["Credentials"]
        credentials = {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }
        return lambda service: cloud.client(service, **credentials)

    yield make
    for name in made:
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)


def refused(call: Callable[[], Any]) -> tuple[str, int, str]:
    """Code, status and message of a call that is refused."""
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    assert answer["ResponseMetadata"].get("RetryAttempts", 0) == 0
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]
