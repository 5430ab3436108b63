"""Gives each workload that reads tables a role in the relational source, and its password a secret.

Terraform makes the database and the secret, but not the secret's value: that would be in its state. This command runs
after each apply. It makes the password, gives it to the role through the Data API, so nothing needs a connection to the
database, and writes it with the login to the secret. A password that exists is kept, so rotation goes on undisturbed;
``--renew`` gives every role a new one, which a restored database needs.

Input is the output of ``terraform output -json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.delivery import aws, command
from infra.delivery.command import DeliveryError
from infra.delivery.scram import verifier

PASSWORD_CHARACTERS = 40


@dataclass(frozen=True)
class Source:
    """The relational source.

    Attributes:
        data_api: boto3's client ``rds-data``.
        cluster_arn: The Aurora cluster.
        admin_secret_arn: The secret of its administrator, which RDS keeps and rotates.
        database: Name of the database.
    """

    data_api: Any
    cluster_arn: str
    admin_secret_arn: str
    database: str

    def execute(self, sql: str, parameters: Mapping[str, str] | None = None) -> list[Any]:
        """Runs one statement and returns its rows."""
        answer = self.data_api.execute_statement(
            resourceArn=self.cluster_arn,
            secretArn=self.admin_secret_arn,
            database=self.database,
            sql=sql,
            parameters=[{"name": name, "value": {"stringValue": value}} for name, value in (parameters or {}).items()],
        )
        return list(answer.get("records", []))


def ensure_role(
    source: Source, secrets: Any, workload: str, secret_arn: str, login: Mapping[str, Any], *, renew: bool
) -> bool:
    """Makes the role of a workload and its password, unless the secret has one, and writes the login to the secret.

    The role sees its own schema only, and there it may read.

    Args:
        source: The relational source.
        secrets: boto3's client ``secretsmanager``.
        workload: The workload; its schema has its name.
        secret_arn: The workload's secret.
        login: What the secret has besides the password: host, port, ``username`` and so on.
        renew: Whether to replace a password that exists.

    Returns:
        Whether a password was made.
    """
    content = _content(secrets, secret_arn)
    if "password" in content and not renew:
        if content != {**content, **login}:  # the database has another address now
            secrets.put_secret_value(SecretId=secret_arn, SecretString=json.dumps({**content, **login}))
        return False
    password = secrets.get_random_password(PasswordLength=PASSWORD_CHARACTERS, ExcludePunctuation=True)[
        "RandomPassword"
    ]
    role, schema = _quoted(login["username"]), _quoted(workload)
    known = source.execute("SELECT 1 FROM pg_roles WHERE rolname = :name", {"name": login["username"]})
    # Statements are logged; this one has a hash from which nobody can compute the password.
    source.execute(f"{'ALTER' if known else 'CREATE'} ROLE {role} LOGIN PASSWORD '{verifier(password)}'")
    for statement in (
        f"CREATE SCHEMA IF NOT EXISTS {schema}",
        f"ALTER ROLE {role} SET search_path = {schema}",
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role}",
    ):
        source.execute(statement)
    secrets.put_secret_value(SecretId=secret_arn, SecretString=json.dumps({**login, "password": password}))
    return True


def _content(secrets: Any, secret_arn: str) -> dict[str, Any]:
    """The secret's value; nothing while it has none."""
    try:
        found: dict[str, Any] = json.loads(secrets.get_secret_value(SecretId=secret_arn)["SecretString"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return {}
    return found


def _quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def apply(outputs: Mapping[str, Any], account: aws.Account, *, renew: bool) -> None:
    """Makes the roles of all workloads that have a database secret.

    Args:
        outputs: What ``terraform output -json`` prints.
        account: The account.
        renew: Whether to replace passwords that exist.

    Raises:
        DeliveryError: The outputs are not those of the root.
    """
    try:
        database, secret_arns = outputs["database"]["value"], outputs["database_secret_arns"]["value"]
    except (KeyError, TypeError):
        raise DeliveryError(
            "The outputs lack database or database_secret_arns; give the output of: terraform output -json"
        ) from None
    if database is None:
        print("this environment has no relational source")
        return
    source = Source(
        account.client("rds-data"), database["cluster_arn"], database["admin_secret_arn"], database["database"]
    )
    secrets = account.client("secretsmanager")
    for workload, secret_arn in sorted(secret_arns.items()):
        made = ensure_role(source, secrets, workload, secret_arn, database["logins"][workload], renew=renew)
        print(f"{workload}: {'its role has a new password' if made else 'has its role'}")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.database_roles", description=__doc__)
    made.add_argument("outputs", type=Path, help="file with the output of terraform output -json")
    made.add_argument("--renew", action="store_true", help="give every role a new password")
    aws.add_arguments(made)
    return made


def main(given: argparse.Namespace) -> None:
    """Makes the roles."""
    apply(json.loads(given.outputs.read_text()), aws.account(given), renew=given.renew)


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
