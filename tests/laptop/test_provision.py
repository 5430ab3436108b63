"""Which of the two ways makes the resources, and what the Terraform way hands over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.workloads import discover
from infra.laptop import bootstrap, provision, terraform
from infra.laptop.bootstrap import code, data, deadlines, inbox
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.free_ports import free_port

AWS: Any = object()
POSTGRES: Any = object()


def config(run: Path, **settings: Any) -> LaptopConfig:
    return LaptopConfig.from_env(run=run, service_port=free_port(following=9), **settings)


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Terraform's apply without Terraform: records the variables; the outputs may be changed by the test."""
    record: dict[str, Any] = {"outputs": {"settings": {"NIGHTJAR_LAKE_BUCKET": "nightjar-lake"}}}

    def apply(_: LaptopConfig, variables: dict[str, Any]) -> dict[str, Any]:
        record["variables"] = variables
        outputs: dict[str, Any] = record["outputs"]
        return outputs

    monkeypatch.setattr(terraform, "apply", apply)
    monkeypatch.setattr(code, "upload", lambda *_: None)
    monkeypatch.setattr(deadlines, "update_code", lambda *_: None)
    monkeypatch.setattr(data, "put_database_secret", lambda *_: None)
    monkeypatch.setattr(inbox, "create", lambda aws: record.setdefault("inbox", aws))
    return record


def create(given: LaptopConfig) -> bootstrap.Resources:
    return provision.create_resources(given, AWS, POSTGRES, lambda _: None)


def test_terraform_gets_the_build_and_a_port_for_each_workload(tmp_path: Path, applied: dict[str, Any]) -> None:
    given = config(tmp_path, iac="terraform")
    made = create(given)
    variables = applied["variables"]
    assert variables["release"]["code_sha"] == made.code_sha
    ports = variables["local_listener_ports"]
    assert ports.keys() == {workload.name for workload in discover()[0]} and ports["flights"] == given.service_port
    assert applied["inbox"] is AWS
    assert variables["local_nights_file"] == str(given.nights_file)
    assert made.service_urls == {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}


def test_a_run_folder_keeps_its_way(tmp_path: Path, applied: dict[str, Any]) -> None:
    create(config(tmp_path, iac="terraform"))
    assert provision.chosen(config(tmp_path)) == "terraform"
    with pytest.raises(LaptopError, match=r"were made by terraform, not by bootstrap\. Run `make clean` first"):
        create(config(tmp_path, iac="bootstrap"))


def test_a_new_run_folder_is_made_by_the_bootstrap(tmp_path: Path) -> None:
    assert provision.chosen(config(tmp_path)) == "bootstrap"


def test_other_settings_than_the_laptops_are_an_error_that_names_them(tmp_path: Path, applied: dict[str, Any]) -> None:
    applied["outputs"] = {"settings": {"NIGHTJAR_LAKE_BUCKET": "another"}}
    with pytest.raises(LaptopError, match="NIGHTJAR_LAKE_BUCKET: Terraform has another, the laptop nightjar-lake"):
        create(config(tmp_path, iac="terraform"))
    assert provision.chosen(config(tmp_path, iac="bootstrap")) == "bootstrap"  # nothing was begun
