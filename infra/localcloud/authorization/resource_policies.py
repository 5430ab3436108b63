"""The policies of resources, from the state of their services."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.backends import get_backend
from moto.iam.models import iam_backends

from infra.localcloud.authorization.evaluation import ResourcePolicy

_Reader = Callable[[str, str, str, str], ResourcePolicy | None]


def of(action: str, arn: str, region: str, account: str) -> ResourcePolicy | None:
    """The policy of the resource that an action is about; None if resources of that kind have none.

    Args:
        action: The IAM action, such as ``s3:GetObject``.
        arn: The resource.
        region: The region of the request.
        account: The account of the server.
    """
    prefix = action.partition(":")[0]
    if prefix == "sts":
        return _trust(arn, account) if action.startswith("sts:AssumeRole") else None
    reader = _READERS.get(prefix)
    if reader is None or not arn.startswith("arn:"):
        return None
    return reader(arn, arn.rsplit(":", 1)[-1], arn.split(":")[3] or region, account)


def _backend(service: str, account: str, region: str) -> Any:
    backends: Any = get_backend(service)  # type: ignore[call-overload]  # one overload for each literal name
    return backends[account][region]


def _policy(name: str, document: Any, account: str, *, required: bool = False) -> ResourcePolicy:
    if isinstance(document, bytes):
        document = document.decode()
    if isinstance(document, dict):
        document = json.dumps(document)
    return ResourcePolicy(name, str(document or ""), required, account)


def _trust(arn: str, account: str) -> ResourcePolicy:
    for role in list(iam_backends[account]["aws"].roles.values()):
        if role.arn == arn:
            return _policy(f"trust policy of {role.name}", role.assume_role_policy_document, account, required=True)
    return _policy(f"trust policy of {arn}", "", account, required=True)


def _s3(arn: str, name: str, region: str, account: str) -> ResourcePolicy | None:
    bucket = name.partition("/")[0]
    found = _backend("s3", account, "aws").buckets.get(bucket)
    return _policy(f"bucket policy of {bucket}", found.policy, account) if found else None


def _kms(arn: str, name: str, region: str, account: str) -> ResourcePolicy | None:
    key_id = name.removeprefix("key/")
    key = _backend("kms", account, region).keys.get(key_id)
    return _policy(f"key policy of {key_id}", key.policy, account, required=True) if key else None


def _sqs(arn: str, name: str, region: str, account: str) -> ResourcePolicy | None:
    queue = _backend("sqs", account, region).queues.get(name)
    return _policy(f"policy of queue {name}", queue.policy, account) if queue else None


def _sns(arn: str, name: str, region: str, account: str) -> ResourcePolicy | None:
    topic = _backend("sns", account, region).topics.get(arn)
    return _policy(f"policy of topic {name}", topic.policy, account) if topic else None


def _secret(arn: str, name: str, region: str, account: str) -> ResourcePolicy | None:
    secret = _backend("secretsmanager", account, region).secrets.get(arn)
    policy = getattr(secret, "policy", None)
    return _policy(f"policy of secret {name}", policy, account) if policy else None


def _lambda(arn: str, name: str, region: str, account: str) -> ResourcePolicy | None:
    try:
        function = _backend("lambda", account, region).get_function(arn)
    except UnknownFunctionException:
        return None
    statements = list(function.policy.statements) if function.policy else []
    document = {"Version": "2012-10-17", "Statement": statements}
    return _policy(f"policy of function {name}", document, account) if statements else None


def _ecr(arn: str, name: str, region: str, account: str) -> ResourcePolicy | None:
    repository = _backend("ecr", account, region).repositories.get(name.removeprefix("repository/"))
    return _policy(f"policy of {name}", repository.policy, account) if repository else None


def _kinesis(arn: str, name: str, region: str, account: str) -> ResourcePolicy | None:
    return _policy(f"policy of {name}", _backend("kinesis", account, region).resource_policies.get(arn), account)


def _dynamodb(arn: str, name: str, region: str, account: str) -> ResourcePolicy | None:
    table = arn.partition("/index/")[0]
    policy = _backend("dynamodb", account, region).resource_policies.get(table)
    return _policy(f"policy of {name}", policy.policy_doc, account) if policy else None


def _glue(arn: str, name: str, region: str, account: str) -> ResourcePolicy | None:
    policies = _backend("glue", account, region).resource_policies
    policy = next(iter(policies.values()), None) if policies else None
    return _policy("policy of the Glue catalog", policy.get("PolicyInJson"), account) if policy else None


_READERS: dict[str, _Reader] = {
    "s3": _s3,
    "kms": _kms,
    "sqs": _sqs,
    "sns": _sns,
    "secretsmanager": _secret,
    "lambda": _lambda,
    "ecr": _ecr,
    "kinesis": _kinesis,
    "dynamodb": _dynamodb,
    "glue": _glue,
}
