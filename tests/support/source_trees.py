"""A copy of the source tree's packaged files, with a git history of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.package.release import RELEASED
from infra.package.tree import ROOT

GIT = {
    **os.environ,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
}


def git(root: Path, *arguments: str) -> None:
    """Runs a git command in a tree; commits have always the same author and time."""
    subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, env=GIT)


@pytest.fixture
def source_tree(tmp_path: Path) -> Callable[[str], Path]:
    """``source_tree(name)``: a new copy of what a release is made of, committed."""

    def make(name: str) -> Path:
        root = tmp_path / name
        ignore = shutil.ignore_patterns("__pycache__", "_build.json")
        for part in RELEASED:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, root / part, ignore=ignore)
            elif source.is_file():
                shutil.copy(source, root / part)
        shutil.copy(ROOT / ".gitignore", root / ".gitignore")
        git(root, "init", "-q")
        git(root, "add", ".")
        git(root, "commit", "-qm", "first")
        return root

    return make
