"""Terraform against a local cloud: the binary and the AWS provider of this machine, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.localcloud import ROOT, Cloud

CONFIGURATIONS = ROOT / "tests" / "localcloud" / "terraform"
# Where Terraform itself looks for providers, and where machines of this project have them.
_PLACES = ("~/.terraform.d/plugins", "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins")
_PROVIDER = "registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws*"
_SECONDS = 600


def find_terraform() -> tuple[str, Path]:
    """The binary and the folder with the provider. Where one is missing, the test is skipped, on CI it fails."""
    binary = shutil.which("terraform")
    places = (os.environ.get("NIGHTJAR_TERRAFORM_PLUGINS", ""), *_PLACES)
    # A folder as ``terraform init -plugin-dir`` takes it holds the registry's name.
    candidates = [*(Path(place).expanduser() for place in places if place), *Path("/opt").glob("*")]
    folders = [folder for folder in candidates if any(folder.glob(_PROVIDER))]
    if binary and folders:
        return binary, folders[0]
    missing = "terraform" if not binary else "its AWS provider (set NIGHTJAR_TERRAFORM_PLUGINS to the folder)"
    if os.environ.get("CI"):
        pytest.fail(f"{missing} was not found")
    warnings.warn(f"Tests with Terraform are skipped: {missing} was not found", stacklevel=2)
    pytest.skip(f"{missing} was not found")


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
    """Copies a configuration of ``tests/localcloud/terraform`` with the provider's settings, and initialises it.

    The local cloud is Terraform's HTTP proxy, too: some services put a label before the host of the endpoint.
    """
    binary, plugins = find_terraform()
    for file in [*(CONFIGURATIONS / configuration).glob("*.tf"), *(CONFIGURATIONS / "provider").glob("*.tf")]:
        shutil.copy(file, folder)
    made = Workspace(
        binary,
        folder,
        {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "HTTP_PROXY": cloud.endpoint,
            **cloud.environment(),
            **{f"TF_VAR_{name}": value for name, value in variables.items()},
        },
    )
    done = made.run("init", f"-plugin-dir={plugins}", "-input=false")
    assert done.returncode == 0, done.stdout + done.stderr
    return made
