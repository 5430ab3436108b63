"""boto3 clients of an AWS account: of a profile, and of a role that it assumes."""

from __future__ import annotations

import argparse
import os
from typing import Any

import boto3
from botocore.config import Config

SESSION_NAME = "nightjar-delivery"


class Account:
    """An AWS account.

    Args:
        profile: A profile of AWS's configuration files; None for the environment's credentials.
        role_arn: A role to assume with them; None for none.
        region: The region; None for that of the profile or the environment.
    """

    def __init__(self, profile: str | None = None, role_arn: str | None = None, region: str | None = None) -> None:
        self._session = boto3.Session(profile_name=profile, region_name=region)
        if role_arn:
            keys = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=SESSION_NAME)["Credentials"]
            self._session = boto3.Session(
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
                region_name=self._session.region_name,
            )

    def client(self, service: Any) -> Any:
        """A client of a service."""
        # A local endpoint has no host names for the prefixes of services such as MWAA.
        prefix = "AWS_ENDPOINT_URL" not in os.environ
        return self._session.client(service, config=Config(inject_host_prefix=prefix))

    def account_id(self) -> str:
        """The account's number."""
        return str(self.client("sts").get_caller_identity()["Account"])


def add_arguments(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    """Adds ``--profile``, ``--role-arn`` and ``--region``, with a prefix such as ``source-``."""
    of = f" of the {prefix.rstrip('-')} account" if prefix else ""
    parser.add_argument(f"--{prefix}profile", help=f"AWS profile{of}; default: the environment's credentials")
    parser.add_argument(f"--{prefix}role-arn", help=f"role to assume{of}; default: none")
    parser.add_argument(f"--{prefix}region", help=f"region{of}; default: that of the profile or the environment")


def account(given: argparse.Namespace, prefix: str = "") -> Account:
    """The account that :func:`add_arguments` asked for."""
    names = (f"{prefix}{name}".replace("-", "_") for name in ("profile", "role_arn", "region"))
    return Account(*(getattr(given, name) for name in names))
