from __future__ import annotations

from pathlib import Path

import pytest

from infra.laptop.config import LaptopError
from infra.laptop.terraform import binary


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A terraform on the PATH of a machine without any provider."""
    path = tmp_path / "bin" / "terraform"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv(binary.PLUGINS_VARIABLE, raising=False)
    monkeypatch.setattr(binary, "PARENTS", (str(tmp_path / "opt"),))
    return path


def provider_below(folder: Path) -> Path:
    place = folder / "registry.example" / "hashicorp" / "aws" / "5.100.0" / "linux_amd64"
    place.mkdir(parents=True)
    (place / "terraform-provider-aws_v5.100.0").touch()
    return folder


def test_a_machine_without_terraform_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaptopError, match=r"not found on the PATH. Install Terraform 1\.11"):
        binary.find()


def test_without_a_plugin_folder_the_registry_is_used(program: Path) -> None:
    found = binary.find()
    assert found == binary.Terraform(str(program), None)
    assert found.init_arguments == ("init", "-input=false")


@pytest.mark.parametrize("place", ["home/.terraform.d/plugins", "opt/plugins"])
def test_the_usual_places_are_searched(program: Path, tmp_path: Path, place: str) -> None:
    folder = provider_below(tmp_path / place)
    assert binary.find().plugins == folder
    assert f"-plugin-dir={folder}" in binary.find().init_arguments


def test_the_variable_wins(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provider_below(tmp_path / "opt" / "plugins")
    given = provider_below(tmp_path / "mine")
    monkeypatch.setenv(binary.PLUGINS_VARIABLE, str(given))
    assert binary.find().plugins == given


def test_a_folder_without_the_provider_is_refused_by_name(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(binary.PLUGINS_VARIABLE, str(tmp_path))
    with pytest.raises(LaptopError, match=f"NIGHTJAR_TERRAFORM_PLUGINS={tmp_path} has no AWS provider"):
        binary.find()
