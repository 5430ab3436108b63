"""Pushes the images that were built to the account's ECR, under the build's tag, and signs them with cosign.

The digests stay as they were built; a tag that exists must be of the same digest. Writes their references by digest.
With ``--sign``, cosign signs with the identity of the workflow (keyless), and the signature is verified.
"""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path
from typing import Any

from infra.delivery import aws, command, images, programs
from infra.delivery.build_images import DIGESTS
from infra.delivery.command import DeliveryError
from infra.delivery.images import Image
from infra.package import release

ISSUER = "https://token.actions.githubusercontent.com"


def log_in(ecr: Any) -> str:
    """Logs docker, and with it skopeo and cosign, in to the account's registry; returns the registry's name."""
    found = ecr.get_authorization_token()["authorizationData"][0]
    user, password = base64.b64decode(found["authorizationToken"]).decode().split(":", 1)
    registry = str(found["proxyEndpoint"]).removeprefix("https://")
    programs.run(["docker", "login", f"--username={user}", "--password-stdin", registry], given=password)
    return registry


def pushed_digest(ecr: Any, image: Image, tag: str) -> str | None:
    """The digest that a tag has in the repository; None when there is no such tag."""
    try:
        found = ecr.describe_images(repositoryName=image.repository, imageIds=[{"imageTag": tag}])
    except ecr.exceptions.ImageNotFoundException:
        return None
    return str(found["imageDetails"][0]["imageDigest"])


def push(ecr: Any, registry: str, image: Image, folder: Path, digest: str, tag: str) -> str:
    """Pushes an archive unless its tag is there; returns the reference by digest.

    Raises:
        DeliveryError: The tag is of another digest, or what was pushed has another one.
    """
    present = pushed_digest(ecr, image, tag)
    if present is None:
        archive, target = f"oci-archive:{folder / image.name}.tar", f"docker://{registry}/{image.repository}:{tag}"
        programs.run(["skopeo", "copy", "--preserve-digests", archive, target])
        present = pushed_digest(ecr, image, tag)
    if present != digest:
        raise DeliveryError(
            f"{registry}/{image.repository}:{tag} is {present}, but {digest} was built. A tag is never replaced: "
            "commit a change, so that the build has another tag."
        )
    return f"{registry}/{image.repository}@{digest}"


def sign(reference: str, identity: str) -> None:
    """Signs an image with the identity of the workflow, and verifies that the signature is of this identity."""
    programs.run(["cosign", "sign", "--yes", reference])
    programs.run(
        ["cosign", "verify", f"--certificate-identity={identity}", f"--certificate-oidc-issuer={ISSUER}", reference]
    )


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.push_images", description=__doc__)
    made.add_argument("--images", type=Path, required=True, help="folder that infra.delivery.build_images wrote")
    made.add_argument("--release", type=Path, required=True, help="folder that make package printed; names the tag")
    made.add_argument("--out", type=Path, required=True, help="file to write: the references by digest")
    made.add_argument("--sign", metavar="IDENTITY", help="URL of the workflow file and its ref, as in its certificate")
    aws.add_arguments(made)
    return made


def main(given: argparse.Namespace) -> None:
    """Pushes and signs the images."""
    digests = images.read(given.images / DIGESTS)
    ecr = aws.account(given).client("ecr")
    tag = release.read(release.only(given.release)).code_sha
    registry = log_in(ecr)
    references = {}
    for image in images.named(digests):
        digest = images.checked(digests[image.name])
        references[image.name] = push(ecr, registry, image, given.images, digest, tag + image.tag_suffix)
        if given.sign:
            sign(references[image.name], given.sign)
    images.write(given.out, references)


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
