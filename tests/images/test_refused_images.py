"""Dockerfiles with one fault each: what proves the real ones must find it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.dockerfile import contents
from tests.support.dockerfile.build import Builder
from tests.support.dockerfile.container import Service, run_job
from tests.support.dockerfile.context import Context
from tests.support.dockerfile.files import DOCKERFILES, ROOT
from tests.support.dockerfile.instructions import DockerfileError, parse

# The first test that needs an image installs its packages.
pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]
SERVING = DOCKERFILES["serving"].read_text()
TRAINING = DOCKERFILES["training"].read_text()


def _without(text: str, start: str) -> str:
    """The text without its only line that begins so."""
    lines = text.splitlines()
    kept = [line for line in lines if not line.startswith(start)]
    assert len(kept) == len(lines) - 1
    return "\n".join(kept)


@pytest.mark.parametrize("line", ["COPY serving/ ", "COPY include/lake/ ", "COPY --from=packages "])
def test_a_service_that_lacks_files_does_not_start(builder: Builder, packed: bytes, tmp_path: Path, line: str) -> None:
    image = builder.build(parse(_without(SERVING, line)))
    with Service(image, tmp_path, packed, "flights") as service:
        with pytest.raises(AssertionError, match=r"No module named"):
            service.until_ready()
        assert service.health() != 0


def test_a_training_image_that_lacks_a_workload_fails(builder: Builder, tmp_path: Path) -> None:
    image = builder.build(parse(_without(TRAINING, "COPY include/workloads/ ")))
    code, output = run_job(image, tmp_path, "train")
    assert code and "No module named 'include.workloads'" in output


def test_an_image_without_a_user_runs_as_root(builder: Builder, packed: bytes, tmp_path: Path) -> None:
    image = builder.build(parse(_without(SERVING, "USER ")))
    assert "app/serving/__main__.py" in contents.writable(image)
    with Service(image, tmp_path, packed, "flights") as service:
        service.until_ready()
        assert service.user_ids() == ["0"] * 4


def test_a_named_user_is_refused(builder: Builder) -> None:
    with pytest.raises(DockerfileError, match=r"USER nightjar must be numeric"):
        builder.build(parse(SERVING.replace("USER 10001:10001", "USER nightjar")))


@pytest.fixture
def unhashed(builder: Builder, tmp_path: Path) -> Builder:
    """Builds with a requirement file whose one package has no hash."""
    for name in ("include", "serving"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "requirements").mkdir()
    pin = next(
        line for line in (ROOT / "requirements/serving.txt").read_text().splitlines() if line.startswith("idna==")
    )
    (tmp_path / "requirements/serving.txt").write_text(pin.removesuffix("\\"))
    return Builder(Context(tmp_path, (ROOT / ".dockerignore").read_text()), tmp_path / "roots")


def test_a_package_without_a_hash_is_not_installed(unhashed: Builder) -> None:
    with pytest.raises(DockerfileError, match=r"Hashes are required in --require-hashes mode"):
        unhashed.build(parse(SERVING), last="packages")


def test_without_the_option_it_would_be_installed(unhashed: Builder) -> None:
    image = unhashed.build(parse(SERVING.replace("--require-hashes ", "")), last="packages")
    assert list(contents.installed(image)) == ["idna"]


def test_pip_in_the_image_is_found(builder: Builder) -> None:
    image = builder.build(parse(SERVING.replace("uninstall --yes --root-user-action ignore pip", "--version")))
    assert any(path.endswith("/usr/local/bin/pip") for path in contents.build_tools(image))


def test_a_base_without_a_digest_is_refused(builder: Builder) -> None:
    with pytest.raises(DockerfileError, match=r"not python:3\.12-slim-bookworm by digest"):
        builder.build(parse(SERVING), {"PYTHON_IMAGE": "python:3.12-slim-bookworm"})


def test_a_run_that_fails_fails_the_build(builder: Builder) -> None:
    with pytest.raises(DockerfileError, match=r"RUN ended with 127:\n.*gcc: not found"):
        builder.build(parse(f"FROM {parse(SERVING).arguments['PYTHON_IMAGE']}\nRUN gcc --version"))
