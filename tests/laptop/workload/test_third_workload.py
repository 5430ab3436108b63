"""docs/workload.md, done: a third workload by a folder alone, in a copy of the tree, as far as a prediction."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.product_home import HOME, ROOT

pytestmark = pytest.mark.stack  # training and the service, in processes of their own
COPIED = ("include", "infra/laptop", "infra/package", "infra/definitions", "serving", "tests/support")
NAME = "orders"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code, in which ``make workload NAME=orders`` was run."""
    root = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    run(root, "infra.laptop.workload", "new", "--name", NAME)
    return root


def run(root: Path, module: str, *arguments: str) -> str:
    """Runs a module of the copied tree; returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=root,
        env={"PATH": "/usr/bin:/bin", "NIGHTJAR_HOME": str(HOME), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_it_is_valid(tree: Path) -> None:
    assert run(tree, "infra.laptop.workload", "validate", "--workload", NAME) == f"{NAME}: valid\n"


def test_it_trains_passes_its_bar_and_predicts(tree: Path, tmp_path: Path) -> None:
    found = json.loads(run(tree, "tests.support.history_model", NAME, str(tmp_path / "ml")).splitlines()[-1])
    assert found["auc"] > found["bar"] and found["engine"] != "scikit-learn"
    assert found["answer"]["prediction"] in (0, 1) and 0 < found["answer"]["probability"] < 1


def test_nothing_but_its_folder_was_written(tree: Path) -> None:
    before = {path.relative_to(ROOT / "include") for path in (ROOT / "include").rglob("*") if path.suffix != ".pyc"}
    after = {path.relative_to(tree / "include") for path in (tree / "include").rglob("*") if path.suffix != ".pyc"}
    added = {path for path in after - before if path.name != "__pycache__"}
    assert added and all(path.parts[:2] == ("workloads", NAME) for path in added)
