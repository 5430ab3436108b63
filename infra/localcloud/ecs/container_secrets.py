"""``secrets`` of a container: values of Secrets Manager and SSM, read with the task's execution role."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from infra.localcloud.clients import role_client
from infra.localcloud.ecs.errors import SecretError
from infra.localcloud.install import Context


def read(context: Context, role_arn: str | None, value_from: str) -> str:
    """The value to which one ``valueFrom`` refers.

    Args:
        context: Configuration and identity of the server.
        role_arn: The task's execution role.
        value_from: The ARN of a secret (``…:secret:name[:json-key[:stage[:version]]]``), or the ARN or name of an SSM
            parameter.

    Raises:
        SecretError: There is no role, or the value cannot be read.
    """
    if not role_arn:
        raise SecretError(f"ResourceInitializationError: {value_from} needs an executionRoleArn in the task definition")
    try:
        if ":secretsmanager:" in value_from:
            return _secret(_client(context, role_arn, "secretsmanager"), value_from)
        name = value_from.partition(":parameter")[2] or value_from
        answer = _client(context, role_arn, "ssm").get_parameter(Name=name, WithDecryption=True)
        return str(answer["Parameter"]["Value"])
    except ClientError as error:
        raise SecretError(f"ResourceInitializationError: unable to pull secret {value_from}: {error}") from None


def _secret(client: Any, value_from: str) -> str:
    parts = value_from.split(":")
    key, stage, version = [*parts[7:], "", "", ""][:3]
    options = {"VersionStage": stage, "VersionId": version}
    answer = client.get_secret_value(
        SecretId=":".join(parts[:7]), **{name: value for name, value in options.items() if value}
    )
    text = str(answer["SecretString"])
    if not key:
        return text
    try:
        value = json.loads(text)[key]
    except (ValueError, KeyError, TypeError):
        raise SecretError(f"ResourceInitializationError: secret {value_from}: there is no JSON key {key!r}") from None
    return value if isinstance(value, str) else json.dumps(value)


def _client(context: Context, role_arn: str, service: str) -> Any:
    return role_client(context.identity.mint(role_arn, "ecs-execution", service="ecs-tasks.amazonaws.com"), service)
