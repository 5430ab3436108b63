"""Writes Terraform's variable ``release`` for a release that was uploaded: the running one, or one by its code sha.

Before an apply, the running one is what to go back to. To go back: select it, apply Terraform, wait for MWAA.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from include.lake import layout
from infra.delivery import aws, command, mwaa, tfvars


def recorded(s3: Any, bucket: str, code_sha: str) -> dict[str, Any]:
    """The variables of an uploaded release.

    Raises:
        DeliveryError: There is no such release, or its upload was not completed.
    """
    key = layout.release_prefix(code_sha) + tfvars.TFVARS
    try:
        content: dict[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        raise command.DeliveryError(
            f"s3://{bucket}/{key} does not exist, so no complete release {code_sha} was uploaded. Choose one of the "
            f"prefixes below s3://{bucket}/{layout.release_prefix('')[:-1]}"
        ) from None
    return content


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.select_release", description=__doc__)
    made.add_argument("--environment", default="nightjar", help="the MWAA environment (default: %(default)s)")
    made.add_argument("--mwaa-bucket", required=True, help="MWAA's bucket")
    made.add_argument("--code-sha", help="the release; default: the one that the environment runs")
    made.add_argument("--tfvars", type=Path, default=tfvars.DEFAULT_FILE, help="file to write (default: %(default)s)")
    aws.add_arguments(made)
    return made


def main(given: argparse.Namespace) -> None:
    """Writes the file. Where nothing runs yet, the release is null: Terraform then makes nothing that needs code."""
    account = aws.account(given)
    code_sha = given.code_sha
    if not code_sha:
        environment = mwaa.described(account.client("mwaa"), given.environment)
        code_sha = mwaa.running(environment) if environment else ""
    content = recorded(account.client("s3"), given.mwaa_bucket, code_sha) if code_sha else {"release": None}
    tfvars.write(given.tfvars, content)


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
