"""IAM roles: one for each runtime, with the policies of ``infra/policies``, which Terraform reads too."""

from __future__ import annotations

from pathlib import Path
from string import Template

from infra.laptop.aws import Aws
from infra.laptop.config import ACCOUNT, REGION, ROOT

POLICIES = ROOT / "infra" / "policies"


def names() -> list[str]:
    """The short names of the roles: the folders of ``infra/policies``."""
    return sorted(folder.name for folder in POLICIES.iterdir() if folder.is_dir())


def arn(short: str) -> str:
    """The ARN of a role by its short name."""
    return f"arn:aws:iam::{ACCOUNT}:role/{_name(short)}"


def _name(short: str) -> str:
    return f"nightjar-{short}"


def create(aws: Aws, lake: str, artifact: str) -> dict[str, str]:
    """Creates the roles, or updates their policies.

    Returns:
        The ARN of each role by its short name, for example ``airflow``.
    """
    arns: dict[str, str] = {}
    for short in names():
        name = _name(short)
        trust = document(short, "trust", lake, artifact)
        try:
            arns[short] = aws.iam.get_role(RoleName=name)["Role"]["Arn"]
            aws.iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        except aws.iam.exceptions.NoSuchEntityException:
            arns[short] = aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        permissions = document(short, "permissions", lake, artifact)
        aws.iam.put_role_policy(RoleName=name, PolicyName="nightjar", PolicyDocument=permissions)
    return arns


def document(role: str, kind: str, lake: str, artifact: str) -> str:
    """A policy document of a role, with the account, the region and the buckets filled in.

    Args:
        role: The role's short name.
        kind: ``permissions`` or ``trust``.
        lake: The lake bucket's name.
        artifact: The artifact bucket's name.

    Raises:
        KeyError: The file uses a placeholder that does not exist.
    """
    text = Path(POLICIES / role / f"{kind}.json").read_text()
    return Template(text).substitute(account=ACCOUNT, region=REGION, lake=lake, artifact=artifact)
