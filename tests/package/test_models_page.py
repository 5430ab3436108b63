"""What the plugins carry for the models page: every module of include that it uses, and no more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from infra.package.models_page import CARRIED, carried
from infra.package.tree import ROOT

# What would load a workload, a data frame or a model into the web server.
HEAVY = ("include/workloads/", "include/sql/", "include/glue/", "include/training/", "include/model/engines/")


def test_it_carries_what_the_page_uses_and_nothing_heavy() -> None:
    names = {name.removeprefix(f"{CARRIED}/") for name in carried(ROOT)}
    assert {"include/__init__.py", "include/settings.py", "include/pipelines/models/changes.py"} <= names
    assert [name for name in names if name.startswith(HEAVY)] == []


def test_a_module_that_a_carried_one_imports_is_carried(source_tree: Callable[[str], Path]) -> None:
    root = source_tree("tree")
    page = root / "plugins" / "models_page"
    page.mkdir(parents=True, exist_ok=True)
    (page / "app.py").write_text("from include.first import thing\n")
    (root / "include" / "first.py").write_text("from include import second\n")
    (root / "include" / "second.py").write_text("import json\n")
    (root / "include" / "third.py").write_text("import json\n")
    assert {name.rsplit("/", 1)[-1] for name in carried(root)} >= {"first.py", "second.py"}
    assert f"{CARRIED}/include/third.py" not in carried(root)
