from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.dockerfile.context import Context
from tests.support.dockerfile.files import ROOT
from tests.support.dockerfile.instructions import DockerfileError


@pytest.mark.parametrize("path", ["include/model/score.py", "serving/page/index.html", "requirements/serving.txt"])
def test_the_allow_list_has_what_an_image_needs(path: str) -> None:
    assert Context(ROOT).includes(path)


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        ".env",
        ".git/config",
        "infra/terraform/terraform.tfstate",
        "requirements/test.txt",
        "include/_build.json",
        "include/model/__pycache__/score.cpython-312.pyc",
        "serving/Dockerfile",
        "serving2/x.py",
    ],
)
def test_the_allow_list_has_nothing_else(path: str) -> None:
    assert not Context(ROOT).includes(path)


def test_a_source_that_the_context_does_not_have_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    assert Context(tmp_path, "").files("a") == ["a"]
    with pytest.raises(DockerfileError, match=r"COPY a: the context has no such file"):
        Context(tmp_path, "*").files("a")
