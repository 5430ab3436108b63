"""Finds Terraform and, where the machine has one, the folder with the AWS provider."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.laptop.config import LaptopError

PLUGINS_VARIABLE = "NIGHTJAR_TERRAFORM_PLUGINS"
# Terraform and its provider run for seconds: collecting garbage less often saves a quarter of their CPU. A variable of
# the environment wins.
FEWER_COLLECTIONS = {"GOGC": "400"}
# Where Terraform itself looks for providers, and where machines of this project have them.
_PLACES = ("~/.terraform.d/plugins", "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins")
PARENTS = ("/opt",)
# A folder as `terraform init -plugin-dir` takes it holds the name of the registry.
_PROVIDER = "*/hashicorp/aws/*/*/terraform-provider-aws*"


@dataclass(frozen=True)
class Terraform:
    """Terraform of this machine.

    Attributes:
        path: The program.
        plugins: The folder with the AWS provider; None: `terraform init` gets it from its registry.
    """

    path: str
    plugins: Path | None

    @property
    def init_arguments(self) -> tuple[str, ...]:
        """The arguments of `terraform init` on this machine."""
        return ("init", "-input=false", *([f"-plugin-dir={self.plugins}"] if self.plugins else []))


def find() -> Terraform:
    """Finds Terraform on the PATH, and the provider in the usual places.

    Raises:
        LaptopError: There is no Terraform, or the folder that the variable names has no provider.
    """
    path = shutil.which("terraform")
    if not path:
        raise LaptopError(
            "terraform was not found on the PATH. Install Terraform 1.11 or later (docs/deployment.md), then run the "
            "command again."
        )
    given = os.environ.get(PLUGINS_VARIABLE)
    if not given:
        return Terraform(path, _first(_places()))
    if folder := _first([Path(given).expanduser()]):
        return Terraform(path, folder)
    raise LaptopError(
        f"{PLUGINS_VARIABLE}={given} has no AWS provider. Set it to the folder that holds the registry's name and "
        "below it hashicorp/aws/…, or unset it: then the usual places are searched, and after them the registry."
    )


def _places() -> Iterable[Path]:
    yield from (Path(place).expanduser() for place in _PLACES)
    for parent in PARENTS:
        yield from sorted(Path(parent).glob("*"))


def _first(folders: Iterable[Path]) -> Path | None:
    return next((folder for folder in folders if any(folder.glob(_PROVIDER))), None)
