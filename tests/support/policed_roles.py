"""Roles with policies of a test's own, and the refusals that they meet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, Cloud

UseRole = Callable[[str], dict[str, str]]
"""Puts the credentials of a kind of role into the environment; returns its keys."""

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


def make_role(cloud: Cloud, name: str, *statements: dict[str, Any], trust: dict[str, Any] | None = None) -> str:
    """Makes a role with these statements; returns its ARN."""
    iam = cloud.client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust or TRUST))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
    return arn


def delete_role(cloud: Cloud, name: str) -> None:
    """Deletes a role and its policies."""
    iam = cloud.client("iam")
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def assume(cloud: Cloud, arn: str, **session: Any) -> dict[str, str]:
    """Temporary credentials of a role, as boto3 takes them."""
    keys = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="test", **session)["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }


@pytest.fixture
def as_role(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Callable[..., Callable[[str], Any]]]:
    """``as_role(statement, …)("s3")``: a client of a new role with these statements."""
    made: list[str] = []

    def make(*statements: dict[str, Any], trust: dict[str, Any] | None = None, **session: Any) -> Callable[[str], Any]:
        name = f"r{abs(hash(request.node.name)) % 10**9}-{len(made)}"
        arn = make_role(cloud, name, *statements, trust=trust)
        made.append(name)
        credentials = assume(cloud, arn, **session)
        return lambda service: cloud.client(service, **credentials)

    yield make
    for name in made:
        delete_role(cloud, name)


def refused(call: Callable[[], Any]) -> tuple[str, int, str]:
    """Code, status and message of a call that is refused."""
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    assert answer["ResponseMetadata"].get("RetryAttempts", 0) == 0
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]
