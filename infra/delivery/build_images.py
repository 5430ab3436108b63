"""Builds the images of this tree as OCI archives, with docker buildx. Needs no account: the same archive goes to each.

Writes ``<image>.tar`` and ``digests.json``. The build stamp, the commit's time and the commit go into the images, so
the same commit gives the same digests.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path

from infra.delivery import command, images, programs
from infra.delivery.command import DeliveryError
from infra.delivery.images import Image
from infra.delivery.workloads import all_workloads
from infra.package.build import Build, stamp
from infra.package.tree import ROOT

DIGESTS = "digests.json"
PLATFORM = "linux/amd64"


def build_command(image: Image, build: Build, source: str, out: Path) -> list[str]:
    """The call of docker that builds an image to ``<out>/<name>.tar``.

    Without attestations: with them the archive holds an index, and SageMaker asks for one image.
    """
    if not build.built_at:
        raise DeliveryError(
            "This tree has no commit, so its images have no time. Build from a clone of the repository."
        )
    epoch = int(datetime.fromisoformat(build.built_at).timestamp())
    arguments = {
        "SOURCE_DATE_EPOCH": str(epoch),
        "REVISION": build.git_sha,
        "VERSION": build.code_sha,
        "SOURCE": source,
        **image.arguments,
    }
    return [
        "docker", "buildx", "build", f"--platform={PLATFORM}", f"--file={image.dockerfile}",
        *(f"--build-arg={name}={value}" for name, value in arguments.items()),
        "--provenance=false", "--sbom=false",
        f"--output=type=oci,dest={out / image.name}.tar,rewrite-timestamp=true",
        f"--metadata-file={out / image.name}.json", ".",
    ]  # fmt: skip


def digest_of(metadata: Path) -> str:
    """The digest in the metadata file that buildx wrote.

    Raises:
        DeliveryError: It has none.
    """
    try:
        return images.checked(json.loads(metadata.read_text())["containerimage.digest"])
    except (OSError, ValueError, KeyError) as error:
        raise DeliveryError(f"{metadata} has no containerimage.digest ({error!r}). Is this docker buildx?") from None


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.build_images", description=__doc__)
    made.add_argument("--out", type=Path, required=True, help="folder for the archives")
    made.add_argument("--source", default="unknown", help="URL of the repository, for the images' labels")
    return made


def main(given: argparse.Namespace) -> None:
    """Builds the images."""
    build = stamp()
    given.out.mkdir(parents=True, exist_ok=True)
    out = given.out.resolve()
    found = {}
    for image in images.wanted(all_workloads()):
        programs.run(build_command(image, build, given.source, out), folder=ROOT)
        found[image.name] = digest_of(out / f"{image.name}.json")
    images.write(out / DIGESTS, found)


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
