"""Writes Terraform's variable ``release`` for what was built, before anything is pushed: for the plan to approve."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.delivery import command, images, tfvars
from infra.delivery.build_images import DIGESTS
from infra.package import release


def references(digests: dict[str, str], account: str, region: str) -> dict[str, str]:
    """The references by digest that the images will have in an account's ECR."""
    registry = f"{account}.dkr.ecr.{region}.amazonaws.com"
    return {
        image.name: f"{registry}/{image.repository}@{images.checked(digests[image.name])}"
        for image in images.named(digests)
    }


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.describe_release", description=__doc__)
    made.add_argument("--release", type=Path, required=True, help="folder that make package printed")
    made.add_argument("--images", type=Path, required=True, help="folder that infra.delivery.build_images wrote")
    made.add_argument("--account", required=True, help="number of the AWS account")
    made.add_argument("--region", required=True, help="the account's region")
    made.add_argument("--tfvars", type=Path, default=tfvars.DEFAULT_FILE, help="file to write (default: %(default)s)")
    return made


def main(given: argparse.Namespace) -> None:
    """Writes the file."""
    made = release.read(release.only(given.release))
    named = references(images.read(given.images / DIGESTS), given.account, given.region)
    tfvars.write(given.tfvars, tfvars.variables(made.code_sha, named))


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
