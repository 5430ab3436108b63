"""Files that the documentation names or links to exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "infra" / "localcloud" / "README.md",
]
# A path in backticks without placeholders: `include/lake/layout.py`, `tests/support/`.
PATH = re.compile(r"`((?:dags|include|plugins|serving|infra|tests|scripts|benchmarks|docs|requirements)/[\w./-]*)`")
# The target of a link or image that is not a web address or a heading of the same page.
TARGET = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
# Written when the code is packaged; and include/ as it is synced on MWAA.
NOT_IN_GIT = {"include/_build.json", "plugins/nightjar/_build.json", "dags/include/"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_in_the_documentation_exists(page: Path) -> None:
    named = set(PATH.findall(page.read_text())) - NOT_IN_GIT
    missing = sorted(path for path in named if not (ROOT / path).exists())
    assert not missing, f"{page.relative_to(ROOT)} names files that do not exist: {missing}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_image_in_the_documentation_exists(page: Path) -> None:
    missing = sorted(target for target in TARGET.findall(page.read_text()) if not (page.parent / target).exists())
    assert not missing, f"{page.relative_to(ROOT)} links to files that do not exist: {missing}"


def test_a_missing_target_is_found() -> None:
    text = "[a](docs/no.md) ![b](images/no.png) [c](https://example.org/x) [d](#here) [e](docs/no.md#part)"
    assert TARGET.findall(text) == ["docs/no.md", "images/no.png", "docs/no.md"]


def test_the_table_of_dags_names_each_of_them() -> None:
    listed = set(
        re.findall(r"^\| `<workload>_(\w+)` \|", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)
    )
    assert listed == {path.stem for path in (ROOT / "dags").glob("*.py")} - {"invalid_workloads"}
