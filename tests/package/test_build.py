from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from infra.package import build as code
from infra.package.tree import ROOT

GIT = {
    **os.environ,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, env=GIT)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder in code.PACKAGED:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("A = 1\n")
    (tmp_path / "requirements").mkdir()
    (tmp_path / code.LIBRARIES).write_text("pyspark==4.1.1\n")
    (tmp_path / "plugins" / "nightjar").mkdir()
    (tmp_path / ".gitignore").write_text("_build.json\n__pycache__/\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_the_code_sha_of_a_clean_tree_is_its_commit(tree: Path) -> None:
    build = code.stamp(tree)
    assert build.dirty_hash == "" and build.code_sha == build.git_sha[:12]
    assert json.loads((tree / "include" / "_build.json").read_text())["code_sha"] == build.code_sha


def test_include_and_plugins_carry_the_same_stamp_and_a_new_build_stamps_both(tree: Path) -> None:
    stamps = [tree / "include" / "_build.json", tree / "plugins" / "nightjar" / "_build.json"]
    code.stamp(tree)
    (tree / "plugins" / "a.py").write_text("A = 2\n")
    build = code.stamp(tree)
    assert build.dirty_hash
    assert [json.loads(file.read_text())["code_sha"] for file in stamps] == [build.code_sha] * 2


def test_the_stamps_are_not_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {f"{folder}/{code.BUILD_FILE}" for folder in code.STAMPED} <= set(ignored)


def test_a_change_changes_the_build_and_undoing_it_restores_it(tree: Path) -> None:
    clean = code.stamp(tree)
    (tree / "include" / "a.py").write_text("A = 2\n")
    dirty = code.stamp(tree)
    assert dirty.code_sha.startswith(clean.code_sha + "-")
    assert code.stamp(tree) == dirty
    (tree / "include" / "a.py").write_text("A = 1\n")
    assert code.stamp(tree) == clean


def test_a_tree_without_git_is_identified_by_its_content(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (tree / ".git").rename(tmp_path_factory.mktemp("away") / "git")
    first = code.stamp(tree)
    (tree / "include" / "a.py").write_text("A = 2\n")
    assert first.dirty_hash and code.stamp(tree).code_sha != first.code_sha
