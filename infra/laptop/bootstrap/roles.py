"""IAM roles: ``infra/definitions/roles.yaml`` lists them, ``infra/policies`` has their documents."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from infra.laptop.aws import Aws
from infra.laptop.bootstrap.definitions import definition, policy
from infra.laptop.config import ACCOUNT

POLICY_NAME = "nightjar"
Extra = Literal["canary", "shadow"]
EXTRAS: dict[Extra, str] = {"canary": "airflow", "shadow": "sagemaker"}
"""What only a workload with such a block in ``deploy`` needs, and the role that gets it."""


@dataclass(frozen=True)
class Role:
    """A role, or the roles of that kind of all workloads.

    Attributes:
        kind: The role's folder in ``infra/policies``, for example ``ecs-task``.
        workload: The workload whose role it is; None for the platform's.
    """

    kind: str
    workload: str | None = None

    @property
    def name(self) -> str:
        """The name in IAM."""
        return "-".join(filter(None, ("nightjar", self.workload, self.kind)))

    @property
    def arn(self) -> str:
        """The ARN in the laptop's account."""
        return f"arn:aws:iam::{ACCOUNT}:role/{self.name}"

    @property
    def description(self) -> str:
        """What the role is for."""
        return str(definition("roles")[self.kind]["description"])

    def document(self, name: Literal["permissions", "trust"] | Extra) -> dict[str, Any]:
        """A policy document of the role."""
        return policy(self.kind, name, **({"workload": self.workload} if self.workload else {}))


def all_roles(workloads: Iterable[str]) -> list[Role]:
    """The roles that the laptop has: the platform's, then those of each workload."""
    listed = {kind: role for kind, role in definition("roles").items() if role.get("only") != "aws"}
    platform = [Role(kind) for kind, role in listed.items() if role["per"] == "platform"]
    per_workload = [kind for kind, role in listed.items() if role["per"] == "workload"]
    return platform + [Role(kind, workload) for workload in workloads for kind in per_workload]


def create(aws: Aws, workloads: Iterable[str]) -> None:
    """Creates the roles, or updates their policies."""
    for role in all_roles(workloads):
        create_role(aws, role)


def create_role(aws: Aws, role: Role) -> None:
    """Creates a role, or updates its policies."""
    trust = json.dumps(role.document("trust"))
    try:
        aws.iam.create_role(RoleName=role.name, AssumeRolePolicyDocument=trust, Description=role.description)
    except aws.iam.exceptions.EntityAlreadyExistsException:
        aws.iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=trust)
    permissions = json.dumps(role.document("permissions"))
    aws.iam.put_role_policy(RoleName=role.name, PolicyName=POLICY_NAME, PolicyDocument=permissions)


def allow_extras(aws: Aws, needed: Collection[str]) -> None:
    """Gives roles what canaries and shadows need, or takes it away: only where a workload has one.

    Args:
        aws: AWS.
        needed: Which of :data:`EXTRAS` are needed.
    """
    for name, kind in EXTRAS.items():
        role = Role(kind)
        if name in needed:
            permissions = json.dumps(role.document(name))
            aws.iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=permissions)
        elif name in aws.iam.list_role_policies(RoleName=role.name)["PolicyNames"]:
            aws.iam.delete_role_policy(RoleName=role.name, PolicyName=name)
