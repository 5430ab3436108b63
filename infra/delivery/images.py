"""The images of a release: which there are, and the file with their references that the other commands read.

The training image for GPUs is large, so a release has it only where a workload is trained on an instance with a GPU.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from include.workloads import Workload
from include.workloads.instances import has_gpu
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
        tag_suffix: What its tag has after the build. ECR counts builds by it (``infra/definitions/repositories.yaml``).
        arguments: The arguments of its build (``--build-arg``).
        for_gpu: Whether only training on a GPU needs it.
    """

    name: str
    dockerfile: str
    repository: str
    variable: str
    tag_suffix: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    for_gpu: bool = False


IMAGES = (
    Image("serving", "serving/Dockerfile", "nightjar/serving", "serving_image", tag_suffix="-service"),
    Image("training", "include/training/Dockerfile", "nightjar/training", "training_image", tag_suffix="-cpu"),
    Image(
        "training-gpu",
        "include/training/Dockerfile",
        "nightjar/training",
        "training_gpu_image",
        arguments={"REQUIREMENTS": "training-gpu"},
        tag_suffix="-gpu",
        for_gpu=True,
    ),
)


def wanted(workloads: Iterable[Workload]) -> list[Image]:
    """The images that a release with these workloads has.

    The default instance type is a setting of Airflow, which a build does not know: only a declared one counts.
    """
    gpu = any(has_gpu(workload.jobs.training.instance_type or "") for workload in workloads)
    return [image for image in IMAGES if gpu or not image.for_gpu]


def named(content: Mapping[str, str]) -> list[Image]:
    """The images that a release has, by what :func:`write` wrote of it."""
    return [image for image in IMAGES if image.name in content]


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
    if missing := sorted({image.name for image in IMAGES if not image.for_gpu} - content.keys()):
        raise DeliveryError(f"{file} lacks {', '.join(missing)}. Run the step before this one again.")
    return content


def write(file: Path, content: Mapping[str, str]) -> None:
    """Writes a text for each image, by its name."""
    file.write_text(json.dumps(content, indent=1) + "\n")
    for name, text in content.items():
        print(f"{name}: {text}")
