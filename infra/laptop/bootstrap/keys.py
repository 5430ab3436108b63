"""KMS keys: ``infra/definitions/keys.yaml`` lists them, ``infra/policies/keys`` has their policies."""

from __future__ import annotations

import json
from typing import Any

from infra.laptop.aws import Aws
from infra.laptop.bootstrap.definitions import NAMES, POLICIES, definition, policy

GENERAL = "general"  # the document that the policy of every key has


def alias(key: str) -> str:
    """The alias of a key of ``keys.yaml``."""
    return f"alias/nightjar-{key}"


def create(aws: Aws) -> dict[str, str]:
    """Creates the keys, or updates their policies.

    Returns:
        The ARN of each key by its name in ``keys.yaml``.
    """
    present = {
        entry["AliasName"]: entry["TargetKeyId"]
        for page in aws.kms.get_paginator("list_aliases").paginate()
        for entry in page["Aliases"]
        if "TargetKeyId" in entry
    }
    arns = {}
    for key, defined in definition("keys").items():
        document = json.dumps(key_policy(key, defined["services"]))
        if found := present.get(alias(key)):
            aws.kms.put_key_policy(KeyId=found, PolicyName="default", Policy=document)
            arns[key] = aws.kms.describe_key(KeyId=found)["KeyMetadata"]["Arn"]
        else:
            made = aws.kms.create_key(Description=defined["description"], Policy=document)["KeyMetadata"]
            aws.kms.create_alias(AliasName=alias(key), TargetKeyId=made["KeyId"])
            arns[key] = made["Arn"]
        aws.kms.enable_key_rotation(KeyId=arns[key])
    return arns


def key_policy(key: str, services: list[str]) -> dict[str, Any]:
    """The policy of a key: that of every key, and what AWS's services do with this one in their own name."""
    own = [key] if (POLICIES / "keys" / f"{key}.json").is_file() else []
    hosts = '","'.join(f"{service}.{NAMES.region}.amazonaws.com" for service in services)  # elements of a JSON list
    documents = [policy("keys", name, services=hosts) for name in (GENERAL, *own)]
    return {**documents[0], "Statement": [one for document in documents for one in document["Statement"]]}


def placeholders(arns: dict[str, str]) -> dict[str, str]:
    """What roles' policies have as ``${key_<name>}``, from the keys' ARNs."""
    return {f"key_{key}": arn for key, arn in arns.items()}


def example_arns() -> dict[str, str]:
    """ARNs that name the keys of ``keys.yaml``, for who reads policies without a cloud. Real ones have random ids."""
    return {key: f"arn:aws:kms:{NAMES.region}:{NAMES.account}:key/{key}" for key in definition("keys")}
