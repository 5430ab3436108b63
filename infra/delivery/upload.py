"""Uploads a release: ``releases/<code sha>/`` of the MWAA bucket, ``code/<code sha>/`` of the artifact bucket.

Every key is written once; the same release may be uploaded again. The record, which is Terraform's variable
``release``, is written last: where it is, the release is complete.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.lake import layout
from infra.delivery import aws, command, images, tfvars
from infra.package import release
from infra.package.release import CODE, MANIFEST, MWAA, Release
from infra.package.write_once import put_once


def upload(
    s3: Any, made: Release, mwaa_bucket: str, artifact_bucket: str, references: Mapping[str, str]
) -> dict[str, Any]:
    """Uploads a release and returns Terraform's variables for it.

    Raises:
        DeliveryError: The release has changes that are not committed, or an image is not named by its digest.
        ConflictError: A key exists with another content.
    """
    if made.manifest["changed"]:
        raise command.DeliveryError(
            f"{made.folder} was built from files that are not committed: {', '.join(made.manifest['changed'][:5])}. "
            "Commit them and run make package."
        )
    for reference in references.values():
        images.checked(reference.partition("@")[2])
    prefix = layout.release_prefix(made.code_sha)
    for name, file in made.files(CODE).items():
        put_once(s3, artifact_bucket, layout.code_prefix(made.code_sha) + name, file.read_bytes())
    for name, file in made.files(MWAA).items():
        put_once(s3, mwaa_bucket, prefix + name, file.read_bytes())
    content = tfvars.variables(made.code_sha, references)
    put_once(s3, mwaa_bucket, prefix + MANIFEST, (made.folder / MANIFEST).read_bytes())
    put_once(s3, mwaa_bucket, prefix + tfvars.TFVARS, tfvars.text(content).encode())
    return content


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.upload", description=__doc__)
    made.add_argument("--release", type=Path, required=True, help="folder that make package printed")
    made.add_argument("--mwaa-bucket", required=True, help="MWAA's bucket")
    made.add_argument("--artifact-bucket", required=True, help="the artifact bucket")
    made.add_argument("--images", type=Path, required=True, help="file that infra.delivery.push_images wrote")
    made.add_argument("--tfvars", type=Path, default=tfvars.DEFAULT_FILE, help="file to write (default: %(default)s)")
    aws.add_arguments(made)
    return made


def main(given: argparse.Namespace) -> None:
    """Uploads the release and writes Terraform's variables."""
    made = release.read(release.only(given.release))
    references = images.read(given.images)
    s3 = aws.account(given).client("s3")
    tfvars.write(given.tfvars, upload(s3, made, given.mwaa_bucket, given.artifact_bucket, references))


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
