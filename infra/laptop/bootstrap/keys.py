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


def create(aws: Aws) -> None:
    """Creates the keys, or updates their policies."""
    present = {
        entry["AliasName"]: entry["TargetKeyId"]
        for page in aws.kms.get_paginator("list_aliases").paginate()
        for entry in page["Aliases"]
        if "TargetKeyId" in entry
    }
    for key, defined in definition("keys").items():
        document = json.dumps(key_policy(key, defined["services"]))
        if found := present.get(alias(key)):
            aws.kms.put_key_policy(KeyId=found, PolicyName="default", Policy=document)
        else:
            found = aws.kms.create_key(Description=defined["description"], Policy=document)["KeyMetadata"]["KeyId"]
            aws.kms.create_alias(AliasName=alias(key), TargetKeyId=found)
        aws.kms.enable_key_rotation(KeyId=found)


def key_policy(key: str, services: list[str]) -> dict[str, Any]:
    """The policy of a key: that of every key, and what AWS's services do with this one in their own name."""
    own = [key] if (POLICIES / "keys" / f"{key}.json").is_file() else []
    hosts = '","'.join(f"{service}.{NAMES.region}.amazonaws.com" for service in services)  # elements of a JSON list
    documents = [policy("keys", name, services=hosts) for name in (GENERAL, *own)]
    return {**documents[0], "Statement": [one for document in documents for one in document["Statement"]]}
