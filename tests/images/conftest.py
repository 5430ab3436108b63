"""Both images, built once for all tests of this folder, and a model that the training image trained."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from include.model import bundle
from scripts.steps import HOME
from tests.support.bundles import read_folder
from tests.support.dockerfile.build import Builder, Image
from tests.support.dockerfile.container import run_job
from tests.support.dockerfile.context import Context
from tests.support.dockerfile.files import DOCKERFILES, LABELS, ROOT
from tests.support.dockerfile.instructions import parse
from tests.support.dockerfile.sandbox import missing_right
from tests.support.training_inputs import make_flights


@pytest.fixture(scope="session")
def builder() -> Iterator[Builder]:
    """Builds with the context of the repository. Without root this is skipped, loudly; on CI it fails."""
    if reason := missing_right():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"The Dockerfiles are not proven: {reason}")
    builder = Builder(Context(ROOT), HOME / "images")
    yield builder
    files = [parse(path.read_text()) for path in DOCKERFILES.values()]
    builder.prune({builder.build(file, last=stage).root for file in files for stage in ("native", "packages")})


@pytest.fixture(scope="session")
def images(builder: Builder) -> Mapping[str, Image]:
    """The images of both Dockerfiles, by name."""
    return {name: builder.build(parse(path.read_text()), LABELS) for name, path in DOCKERFILES.items()}


@pytest.fixture(scope="session")
def trained(images: Mapping[str, Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder ``/opt/ml`` in which the training image has trained a model."""
    ml = tmp_path_factory.mktemp("images") / "ml"
    make_flights(ml)
    code, output = run_job(images["training"], ml, "train")
    assert code == 0, output
    return ml


@pytest.fixture(scope="session")
def packed(trained: Path) -> bytes:
    """The trained model's bundle."""
    return bundle.pack(read_folder(trained / "model"))
