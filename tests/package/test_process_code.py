"""What the hash of the code of transform and audit covers: what they import, and nothing else."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.package import build
from infra.package.imports import modules_used
from infra.package.tree import ROOT

ENTRIES = tuple(f"include.glue.{script}" for script in build.SCRIPTS)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what is packaged, and of the requirements."""
    for folder in (*build.PACKAGED, "requirements"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "_build.json"))
    return tmp_path


def _new_folder(root: Path) -> None:
    shutil.copytree(root / "include/workloads/flights", root / "include/workloads/ads")


def _comment(*files: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for file in files:
            with (root / file).open("a") as text:
                text.write("# A comment\n")

    return change


@pytest.mark.parametrize(
    "change",
    [
        _new_folder,
        _comment("include/workloads/flights/features.py", "include/workloads/flights/workload.yaml"),
        _comment("serving/app.py", "plugins/nightjar/build.py"),
        _comment("include/training/train.py", "include/model/score.py", "include/training/Dockerfile"),
        _comment("include/pipelines/process/plan.py", "include/sql/dataset.py", "include/settings.py"),
        _comment("requirements/serving.txt", "requirements/training.txt"),
    ],
)
def test_what_transform_and_audit_do_not_use_leaves_it_as_it_is(tree: Path, change: Callable[[Path], None]) -> None:
    before = build.stamp(tree).process_code
    change(tree)
    assert build.stamp(tree).process_code == before


@pytest.mark.parametrize(
    "file",
    [
        "include/glue/transform.py",
        "include/glue/audit.py",
        "include/glue/expectations.py",
        "include/lake/instants.py",
        "include/workloads/__init__.py",
        "include/workloads/fields.py",
        "requirements/glue.txt",
    ],
)
def test_what_they_use_changes_it(tree: Path, file: str) -> None:
    before = build.process_code(tree)
    _comment(file)(tree)
    assert build.process_code(tree) != before


@pytest.mark.stack  # Great Expectations takes seconds to import
def test_every_module_that_the_jobs_load_is_covered() -> None:
    """Also what they import when they run is found: in functions, and through packages."""
    script = (
        f"import sys, {', '.join(ENTRIES)}\n"
        "from include.workloads import load; load('flights')\n"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'include'), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {Path(line) for line in done.stdout.splitlines()}
    assert len(loaded) > 20 and loaded <= set(modules_used(ROOT, ENTRIES))


def test_no_module_that_they_use_imports_by_name() -> None:
    """``importlib.import_module`` would hide a module from the hash."""
    for file in modules_used(ROOT, ENTRIES):
        called = {node.attr for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)}
        names = {node.id for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Name)}
        assert not {"import_module", "__import__"} & (called | names), file


def test_imports_are_followed_through_packages_functions_and_dots(tmp_path: Path) -> None:
    sources = {
        "include/__init__.py": "",
        "include/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import include.types_only\n"
        "else:\n    import include.otherwise\nfrom include.pkg import name\n",
        "include/pkg/__init__.py": "from .inner import name\n",
        "include/pkg/inner.py": "def f():\n    from . import lazy\n    import include.late\n",
        "include/pkg/lazy.py": "import json, include.a\n",
        "include/pkg/unused.py": "",
        "include/types_only.py": "",
        "include/otherwise.py": "",
        "include/late.py": "",
    }
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = {str(file.relative_to(tmp_path)) for file in modules_used(tmp_path, ["include.a"])}
    assert set(sources) - found == {"include/pkg/unused.py", "include/types_only.py"}
