"""Rules that every module of the toolkit keeps: scheduler, web server and triggerer import them alone.

The models page is no part of the toolkit: it knows the domain, and only an API server imports it (ADR 46).
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.parsed_dags import ROOT, environment

PLUGINS = ROOT / "plugins"
PAGE = "models_page"
MODULES = sorted(
    ".".join(path.relative_to(PLUGINS).with_suffix("").parts).removesuffix(".__init__")
    for path in PLUGINS.rglob("*.py")
    if PAGE not in path.relative_to(PLUGINS).parts
)
LOADED = {"nightjar_plugin", f"{PAGE}_plugin"}  # the modules that Airflow runs as plugins
FORBIDDEN = {"include", "dags", "infra", "serving", "tests"}
# Words of Nightjar's domain. The plugins are a toolkit for AWS jobs, which another project could take as it is.
DOMAIN = {
    "bundle", "candidate", "carrier", "challenger", "champion", "cutoff", "dataset", "feature", "flights", "golden",
    "label", "lake", "night", "promote", "quarantine", "retrain", "workload",
}  # fmt: skip


def source(module: str) -> str:
    path = PLUGINS / Path(*module.split("."))
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()


@pytest.mark.stack
def test_every_module_imports_with_only_plugins_on_the_path(tmp_path: Path) -> None:
    script = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "assert 'include' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *MODULES],
        env=environment(PYTHONPATH=str(PLUGINS)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("module", MODULES)
def test_it_imports_nothing_of_the_tree_but_plugins(module: str) -> None:
    names = set()
    for node in ast.walk(ast.parse(source(module))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "write the whole path"
            names.add((node.module or "").split(".")[0])
    assert not names & FORBIDDEN


@pytest.mark.parametrize("module", MODULES)
def test_it_has_no_domain_words(module: str) -> None:
    words = re.findall(r"[a-z]+", source(module).lower())
    found = {word for word in words if word in DOMAIN or word.removesuffix("s") in DOMAIN}
    assert found == set()


@pytest.mark.parametrize("module", [*MODULES, *(path.stem for path in (PLUGINS / PAGE).glob("*.py"))])
def test_no_module_has_the_name_of_a_standard_library_module(module: str) -> None:
    # "operator" is one; "operators" is none. Airflow runs a plugin file under its stem unless .airflowignore stops it.
    assert module.split(".")[-1] not in sys.stdlib_module_names


@pytest.mark.stack
def test_airflow_runs_two_modules_as_plugins_and_imports_no_page(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from airflow import plugins_manager\n"
        "plugins, errors = plugins_manager._get_plugins()\n"
        "assert not errors, errors\n"
        "names = [plugin.name for plugin in plugins]\n"
        "assert {'nightjar', 'nightjar_models_page'} <= set(names), names\n"
        "stems = set(sys.argv[1:]) & set(sys.modules)\n"
        "assert not stems, stems\n"
    )
    page = {PAGE, "include", *(path.stem for path in (PLUGINS / PAGE).glob("*.py") if path.stem != "__init__")}
    stems = sorted({module.split(".")[-1] for module in MODULES} - {"nightjar"} - LOADED | page)
    done = subprocess.run(
        [sys.executable, "-c", script, *stems],
        env=environment(AIRFLOW__CORE__PLUGINS_FOLDER=str(PLUGINS), AIRFLOW_HOME=str(tmp_path)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
