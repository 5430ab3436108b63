"""Terraform against a local cloud: the binary and the AWS provider of this machine, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from infra.laptop.config import LaptopError
from infra.laptop.terraform.binary import PLUGINS_VARIABLE, Terraform, find
from infra.laptop.terraform.workspace import cloud_environment
from tests.support.localcloud import ROOT, Cloud

CONFIGURATIONS = ROOT / "tests" / "localcloud" / "terraform"
_SECONDS = 900


def find_terraform() -> Terraform:
    """Terraform with its provider. Where one is missing, the test is skipped; on CI it fails."""
    try:
        terraform = find()
    except LaptopError as error:
        _missing(str(error))
    if terraform.plugins is None and not os.environ.get("CI"):  # CI may use the registry
        _missing(f"The AWS provider of Terraform was not found: set {PLUGINS_VARIABLE} to the plugin folder.")
    return terraform


def _missing(text: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(text)
    warnings.warn(f"Tests with Terraform are skipped. {text}", stacklevel=3)
    pytest.skip(text)


def environment_of(cloud: Cloud) -> dict[str, str]:
    """The environment in which Terraform uses this local cloud."""
    key = cloud.operator
    return cloud_environment(cloud.endpoint, key["aws_access_key_id"], key["aws_secret_access_key"])


@dataclass(frozen=True)
class Workspace:
    """A configuration that was initialised.

    Attributes:
        binary: Terraform.
        folder: Where the configuration and Terraform's state are.
        environment: Its environment: the local cloud's address and keys.
    """

    binary: str
    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of Terraform, and returns its exit code and output."""
        return subprocess.run(
            [self.binary, *arguments, "-no-color"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )


def workspace(cloud: Cloud, folder: Path, configuration: str, variables: dict[str, str]) -> Workspace:
    """Copies a configuration of ``tests/localcloud/terraform`` with the provider's settings, and initialises it."""
    terraform = find_terraform()
    for file in [*(CONFIGURATIONS / configuration).glob("*.tf"), *(CONFIGURATIONS / "provider").glob("*.tf")]:
        shutil.copy(file, folder)
    given = {f"TF_VAR_{name}": value for name, value in variables.items()}
    made = Workspace(terraform.path, folder, environment_of(cloud) | given)
    done = made.run(*terraform.init_arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return made
