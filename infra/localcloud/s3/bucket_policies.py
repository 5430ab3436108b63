"""Checks of a bucket policy when it is put, and whether it is public."""

from __future__ import annotations

import json
from typing import Any

from infra.localcloud.s3.errors import S3Error

_VERSIONS = ("2012-10-17", "2008-10-17")
# Keys of conditions that bind a policy to known callers, so that Principal "*" is not public.
_BINDING = {
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:sourceorgid",
    "aws:principalarn",
    "aws:userid",
    "aws:principalaccount",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
}


def check(document: bytes, bucket: str) -> str:
    """Checks a policy as PutBucketPolicy does.

    Args:
        document: The policy.
        bucket: The name of its bucket.

    Returns:
        The policy as text.

    Raises:
        S3Error: The policy is malformed, or names other resources than the bucket's.
    """
    try:
        text = document.decode()
        policy = json.loads(text)
    except ValueError:
        raise S3Error("MalformedPolicy") from None
    if not isinstance(policy, dict):
        raise S3Error("MalformedPolicy")
    if policy.get("Version", _VERSIONS[1]) not in _VERSIONS:
        raise S3Error("MalformedPolicy", "The policy must contain a valid version string")
    statements = _statements(policy)
    if not statements:
        raise S3Error("MalformedPolicy", "Missing required field Statement")
    for statement in statements:
        _check_statement(statement, bucket)
    return text


def _statements(policy: dict[str, Any]) -> list[Any]:
    return _listed(policy.get("Statement"))


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _check_statement(statement: Any, bucket: str) -> None:
    if not isinstance(statement, dict):
        raise S3Error("MalformedPolicy", "Invalid policy syntax.")
    for names in (("Effect",), ("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")):
        if not any(name in statement for name in names):
            raise S3Error("MalformedPolicy", f"Missing required field {names[0]}")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise S3Error("MalformedPolicy", f"Invalid effect: {statement['Effect']}")
    for action in _listed(statement.get("Action", statement.get("NotAction"))):
        if action != "*" and not str(action).lower().startswith("s3:"):
            raise S3Error("MalformedPolicy", "Policy has invalid action")
    arn = f"arn:aws:s3:::{bucket}"
    for resource in _listed(statement.get("Resource", statement.get("NotResource"))):
        text = str(resource)
        if "*" not in text.partition("/")[0] and text != arn and not text.startswith(arn + "/"):
            raise S3Error("MalformedPolicy", "Policy has invalid resource")


def is_public(text: str) -> bool:
    """Whether a policy allows anything to anyone, as Block Public Access judges it."""
    return any(
        statement.get("Effect") == "Allow" and _anyone(statement.get("Principal")) and not _bound(statement)
        for statement in _statements(json.loads(text))
    )


def _anyone(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, dict) and "*" in _listed(principal.get("AWS")))


def _bound(statement: dict[str, Any]) -> bool:
    return any(
        key.lower() in _BINDING and not any("*" in str(value) for value in _listed(values))
        for keys in statement.get("Condition", {}).values()
        for key, values in keys.items()
    )


def allows_log_delivery(text: str, bucket: str) -> bool:
    """Whether a policy lets the logging service put objects into the bucket."""
    for statement in _statements(json.loads(text)):
        principal = statement.get("Principal")
        services = _listed(principal.get("Service")) if isinstance(principal, dict) else []
        actions = {str(action).lower() for action in _listed(statement.get("Action"))}
        resources = [str(resource) for resource in _listed(statement.get("Resource"))]
        if (
            statement.get("Effect") == "Allow"
            and "logging.s3.amazonaws.com" in services
            and actions & {"s3:putobject", "s3:*", "s3:put*"}
            and any(resource.startswith(f"arn:aws:s3:::{bucket}/") for resource in resources)
        ):
            return True
    return False
