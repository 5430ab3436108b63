"""Files that the documentation names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# A path in backticks without placeholders: `include/lake/layout.py`, `tests/support/`.
PATH = re.compile(r"`((?:dags|include|plugins|serving|infra|tests|scripts|benchmarks|docs|requirements)/[\w./-]*)`")
# Written when the code is packaged; and include/ as it is synced on MWAA.
NOT_IN_GIT = {"include/_build.json", "plugins/nightjar/_build.json", "dags/include/"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_in_the_documentation_exists(page: Path) -> None:
    named = set(PATH.findall(page.read_text())) - NOT_IN_GIT
    missing = sorted(path for path in named if not (ROOT / path).exists())
    assert not missing, f"{page.relative_to(ROOT)} names files that do not exist: {missing}"
