from __future__ import annotations

from pathlib import Path

import pytest

from infra.laptop.config import LaptopError
from infra.laptop.terraform.binary import Terraform
from infra.laptop.terraform.workspace import Workspace, cloud_environment, mirror


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A source tree with files that a run of Terraform leaves behind."""
    root = tmp_path / "root"
    for name in (
        "infra/definitions/keys.yaml",
        "infra/policies/boundary.json",
        "infra/terraform/main.tf",
        "infra/terraform/environments/dev.tfvars",
        "infra/terraform/environments/prod.tfvars",
        "infra/terraform/terraform.tfstate",
        "infra/terraform/.terraform.lock.hcl",
        "infra/terraform/release.auto.tfvars.json",
        "include/workloads/flights/workload.yaml",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_what_the_configuration_reads_is_linked_and_what_terraform_wrote_is_not(root: Path, tmp_path: Path) -> None:
    mirror(root, tmp_path / "work")
    found = tmp_path / "work" / "infra" / "terraform"
    assert sorted(path.name for path in found.iterdir()) == ["environments", "main.tf"]
    assert (found / ".." / "definitions" / "keys.yaml").read_text() == "infra/definitions/keys.yaml"
    assert (found / ".." / ".." / "include" / "workloads" / "flights" / "workload.yaml").is_file()


def test_links_follow_the_source_and_files_of_terraform_stay(root: Path, tmp_path: Path) -> None:
    mirror(root, tmp_path / "work")
    found = tmp_path / "work" / "infra" / "terraform"
    (found / "terraform.tfstate").write_text("own")
    (root / "infra" / "terraform" / "main.tf").rename(root / "infra" / "terraform" / "other.tf")
    mirror(root, tmp_path / "work")
    assert sorted(path.name for path in found.iterdir()) == ["environments", "other.tf", "terraform.tfstate"]
    assert (found / "terraform.tfstate").read_text() == "own"


def test_workloads_of_a_test_stay(root: Path, tmp_path: Path) -> None:
    own = tmp_path / "work" / "include" / "workloads" / "tides"
    own.mkdir(parents=True)
    mirror(root, tmp_path / "work")
    assert [path.name for path in own.parent.iterdir()] == ["tides"]


def test_an_unknown_environment_is_refused_with_those_that_exist(root: Path, tmp_path: Path) -> None:
    workspace = Workspace(Terraform("terraform", None), tmp_path / "work", "production", {})
    with pytest.raises(LaptopError, match=r"ENV=production: .* Choose one of dev, prod\."):
        workspace.prepare({}, root)


def test_terraform_sees_nothing_of_this_machines_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "real")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("TF_VAR_environment", "prod")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = cloud_environment("http://127.0.0.1:4566", "id", "secret")
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "TF_VAR_environment", "NO_PROXY"} & set(found)
    assert found["HTTP_PROXY"] == found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
