"""Least privilege: the recorded requests against the policies of the roles that made them.

A grant is one action of a statement on one of its resource patterns. A grant that allowed no request is unused; a
request that was denied needs a grant that is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from infra.localcloud.authorization.operator_key import load_or_create
from infra.localcloud.authorization.patterns import Patterns
from infra.localcloud.config import Config
from infra.localcloud.request_file import read


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one resource pattern that a role's policy allows."""

    role: str
    policy: str
    statement: str
    action: str
    resource: str

    def covers(self, action: str, resource: str) -> bool:
        """Whether the grant is about an action on a resource."""
        return Patterns((self.action,), "caseless").matches(action, _no_value) and Patterns(
            (self.resource,), "resource"
        ).matches(resource, _no_value)


@dataclass(frozen=True, order=True)
class Refusal:
    """What a role asked for and did not get: the action on the resource, and how often."""

    role: str
    action: str
    resource: str
    times: int


@dataclass(frozen=True)
class Usage:
    """The comparison.

    Attributes:
        unused: The grants that allowed no request.
        refused: The requests that were denied.
    """

    unused: list[Grant]
    refused: list[Refusal]


def _no_value(name: str) -> str | None:
    return None


def grants_of(role: str, policies: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Grant]:
    """The grants of a role's policies.

    Args:
        role: The role's ARN.
        policies: The name and the document of each policy.
    """
    found = []
    for name, document in policies:
        for number, statement in enumerate(_listed(document.get("Statement")), 1):
            if statement.get("Effect") == "Allow":
                label = str(statement.get("Sid") or number)
                found += [
                    Grant(role, name, label, action, resource)
                    for action in _listed(statement.get("Action"))
                    for resource in _listed(statement.get("Resource"))
                ]
    return found


def compare(lines: Iterable[Mapping[str, Any]], grants: Mapping[str, Iterable[Grant]]) -> Usage:
    """Compares recorded requests with grants.

    Args:
        lines: The lines of requests.jsonl.
        grants: The grants of each role by its ARN, none for a role that may do nothing. Requests of other roles are
            ignored.
    """
    left = {grant for of_role in grants.values() for grant in of_role}
    refused: dict[tuple[str, str, str], int] = {}
    for line in lines:
        if line.get("role") not in grants:
            continue
        asked = [(entry["action"], entry["resource"]) for entry in line.get("iam", [])]
        if line.get("decision") == "deny" and asked:
            # What was asked is decided in order: the last decision is the refusal.
            action, resource = asked[max(len(line.get("decided_by", [])), 1) - 1]
            key = (str(line["role"]), action, resource)
            refused[key] = refused.get(key, 0) + 1
        elif line.get("decision") == "allow":
            used = [
                grant
                for grant in left
                if grant.role == line["role"] and any(grant.covers(action, resource) for action, resource in asked)
            ]
            left.difference_update(used)
    return Usage(sorted(left), [Refusal(*key, times) for key, times in sorted(refused.items())])


def of_server(config: Config) -> Usage:
    """Compares the requests that a running server recorded with the policies of all its roles."""
    key = load_or_create(config.state)
    make: Any = boto3.session.Session().client
    iam = make(
        "iam",
        endpoint_url=config.endpoint,
        region_name=config.region,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
    )
    grants = {
        role["Arn"]: grants_of(role["Arn"], _policies(iam, role["RoleName"]))
        for page in iam.get_paginator("list_roles").paginate()
        for role in page["Roles"]
    }
    return compare(read(config.state), grants)


def _policies(iam: Any, role: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
        for name in page["PolicyNames"]:
            yield name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for policy in page["AttachedPolicies"]:
            version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
            found = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)
            yield policy["PolicyName"], found["PolicyVersion"]["Document"]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def report(config: Config) -> str:
    """The comparison as text, for ``python -m infra.localcloud usage``."""
    usage = of_server(config)
    oldest = next(iter(read(config.state)))["time"]  # the request log rotates
    lines = [f"{len(usage.unused)} grants that no request since {oldest} used:"]
    lines += [
        f"  {grant.role.rsplit('/', 1)[-1]}: {grant.action} on {grant.resource} ({grant.policy}/{grant.statement})"
        for grant in usage.unused
    ]
    lines.append(f"{len(usage.refused)} kinds of denied requests:")
    lines += [
        f"  {refusal.role.rsplit('/', 1)[-1]}: {refusal.action} on {refusal.resource}, {refusal.times} times"
        for refusal in usage.refused
    ]
    return "\n".join(lines) + "\n"
