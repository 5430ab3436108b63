"""Both Dockerfiles, executed: the training image trains a model, the service's image serves it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.dockerfile import contents
from tests.support.dockerfile.build import Builder, Image
from tests.support.dockerfile.container import Service, run_job, sandbox
from tests.support.dockerfile.context import Context
from tests.support.dockerfile.files import DOCKERFILES, LABELS, ROOT
from tests.support.dockerfile.instructions import parse

# The first test that needs an image installs its packages.
pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]
NAMES = ("serving", "training")


def test_training_writes_a_model_below_opt_ml(trained: Path) -> None:
    manifest = json.loads((trained / "model/manifest.json").read_text())
    assert manifest["workload"] == "flights" and manifest["engine"] == "native"
    assert not (trained / "output/failure").exists()


def test_a_job_that_fails_says_why_in_sagemakers_file(images: Mapping[str, Image], tmp_path: Path) -> None:
    code, _ = run_job(images["training"], tmp_path, "train")
    assert code == 1
    assert "lacks the hyperparameters workload" in (tmp_path / "output/failure").read_text()


def test_the_service_serves_that_model_as_its_user_and_stops_when_asked(
    images: Mapping[str, Image], packed: bytes, tmp_path: Path
) -> None:
    with Service(images["serving"], tmp_path, packed, "flights") as service:
        assert service.health() != 0 or service.get("/health") == 200  # nothing may listen yet
        service.until_ready()
        assert service.get("/health") == 200 and service.health() == 0
        assert service.user_ids() == ["10001"] * 4
        assert service.stop() == 0, service.log.read_text()
        assert service.health() != 0


@pytest.mark.parametrize("name", NAMES)
def test_only_the_folder_for_temporary_files_can_be_written_to(images: Mapping[str, Image], name: str) -> None:
    box = sandbox(images[name])
    assert box.run(["touch", "/tmp/file"])[0] == 0
    for place in ("/app/file", "/opt/venv/file", "/etc/file"):
        code, output = box.run(["touch", place])
        assert code and "Read-only file system" in output


@pytest.mark.parametrize("name", NAMES)
def test_an_image_has_the_pinned_packages_and_no_build_tools(images: Mapping[str, Image], name: str) -> None:
    image = images[name]
    assert contents.build_tools(image) == []
    assert contents.writable(image) == []
    assert contents.set_user_id(image) == []
    assert contents.timed_bytecode(image) == []
    assert contents.installed(image) == contents.pinned((ROOT / f"requirements/{name}.txt").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_a_second_build_of_the_code_has_the_same_bytes(builder: Builder, tmp_path: Path, name: str) -> None:
    parsed = parse(DOCKERFILES[name].read_text())
    first = builder.build(parsed, last="code")
    again = Builder(Context(ROOT), tmp_path / "roots").build(parsed, last="code")
    assert again.root != first.root and contents.digests(again, "app") == contents.digests(first, "app") != {}


@pytest.mark.parametrize("name", NAMES)
def test_an_image_says_what_it_was_built_from(images: Mapping[str, Image], name: str) -> None:
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in images[name].labels.items()}
    assert {key.upper(): labels[key] for key in ("revision", "source", "version")} == LABELS
    assert labels["title"] == f"nightjar-{name}"
