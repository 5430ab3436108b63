"""The images of a release: which there are, and the file with their references that the other commands read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.delivery.command import DeliveryError

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Image:
    """One image.

    Attributes:
        name: The name of its archive.
        dockerfile: Its Dockerfile.
        repository: Its ECR repository.
        variable: Its key in Terraform's variable ``release``.
    """

    name: str
    dockerfile: str
    repository: str
    variable: str


IMAGES = (
    Image("serving", "serving/Dockerfile", "nightjar/serving", "serving_image"),
    Image("training", "include/training/Dockerfile", "nightjar/training", "training_image"),
)


def checked(digest: object) -> str:
    """Returns a digest.

    Raises:
        DeliveryError: The text is no digest.
    """
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise DeliveryError(f"{digest!r} is no digest of an image (sha256:<64 hexadecimal digits>).")
    return digest


def read(file: Path) -> dict[str, str]:
    """Reads a file that :func:`write` wrote.

    Raises:
        DeliveryError: It is missing, or lacks an image.
    """
    try:
        content: dict[str, str] = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise DeliveryError(f"{file} cannot be read ({error}). The step before this one writes it.") from None
    if missing := sorted({image.name for image in IMAGES} - content.keys()):
        raise DeliveryError(f"{file} lacks {', '.join(missing)}. Run the step before this one again.")
    return content


def write(file: Path, content: Mapping[str, str]) -> None:
    """Writes a text for each image, by its name."""
    file.write_text(json.dumps(content, indent=1) + "\n")
    for name, text in content.items():
        print(f"{name}: {text}")
