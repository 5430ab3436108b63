"""Destroy is refused in production, before anything is destroyed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.localcloud import ROOT
from tests.support.terraform import find_terraform

# What the guard knows of the root; the file is Terraform's own, so the test needs no provider of AWS.
REST = """
variable "environment" { type = string }
locals { disposable = var.environment != "prod" }
resource "terraform_data" "database" { input = "rows" }
"""


def destroyed(folder: Path, environment: str) -> tuple[int, str]:
    """Applies a root with the guard and destroys it; the exit code and the output of the destroy."""
    terraform = find_terraform().path
    shutil.copy(ROOT / "infra" / "terraform" / "guard.tf", folder)
    (folder / "rest.tf").write_text(REST)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [terraform, *arguments, "-no-color"], cwd=folder, text=True, capture_output=True, check=False
        )

    assert run("init").returncode == 0
    options = ("-auto-approve", f"-var=environment={environment}")
    applied = run("apply", *options)
    assert applied.returncode == 0, applied.stderr
    result = run("destroy", *options)
    return result.returncode, result.stdout + result.stderr


def test_production_is_not_destroyed(tmp_path: Path) -> None:
    code, output = destroyed(tmp_path, "prod")
    assert code == 1 and "prevent_destroy" in output
    assert '"rows"' in (tmp_path / "terraform.tfstate").read_text(), "nothing was destroyed"


@pytest.mark.parametrize("environment", ["dev", "local"])
def test_other_environments_are_destroyed(tmp_path: Path, environment: str) -> None:
    code, output = destroyed(tmp_path, environment)
    assert code == 0, output
