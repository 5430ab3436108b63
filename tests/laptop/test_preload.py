"""What the laptop's scheduler imports for its tasks. Needs Airflow, as test_executor.py does."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.laptop.airflow_environment import SITE

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def preload() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SITE)
        yield importlib.import_module("nightjar_laptop.preload")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project of one imported package, and a library beside it."""
    (tmp_path / "project" / "preloaded").mkdir(parents=True)
    (tmp_path / "project" / "preloaded" / "__init__.py").touch()
    (tmp_path / "project" / "preloaded" / "rules.py").write_text("LIMIT = 1")
    (tmp_path / "preloaded_library.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "project")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("preloaded.rules", "preloaded_library"):
        importlib.import_module(name)
    yield tmp_path / "project"
    for name in [name for name in sys.modules if name.startswith("preloaded")]:
        del sys.modules[name]


def limit_in_fork() -> int:
    """What a forked process finds when it imports the package."""
    pid = os.fork()
    if pid == 0:
        os._exit(importlib.import_module("preloaded.rules").LIMIT)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_what_is_not_edited_stays_imported(preload: Any, project: Path) -> None:
    rules = sys.modules["preloaded.rules"]
    preload.ProjectModules([project]).forget_if_edited()
    assert importlib.import_module("preloaded.rules") is rules


def test_an_edit_counts_and_libraries_stay_imported(preload: Any, project: Path) -> None:
    modules = preload.ProjectModules([project])
    library = sys.modules["preloaded_library"]
    (project / "preloaded" / "rules.py").write_text("LIMIT = 22")
    assert limit_in_fork() == 1
    modules.forget_if_edited()
    assert limit_in_fork() == 22
    assert sys.modules["preloaded_library"] is library


def test_a_deleted_file_counts_as_an_edit(preload: Any, project: Path) -> None:
    modules = preload.ProjectModules([project])
    (project / "preloaded" / "rules.py").unlink()
    modules.forget_if_edited()
    with pytest.raises(ImportError):
        importlib.import_module("preloaded.rules")


def test_only_the_imports_of_a_file_are_executed(preload: Any, project: Path, tmp_path: Path) -> None:
    (project / "preloaded" / "other.py").touch()
    file = tmp_path / "dag.py"
    file.write_text("from __future__ import annotations\nfrom preloaded import other\nraise SystemExit")
    preload.import_as(file)
    assert "preloaded.other" in sys.modules


def test_a_file_that_cannot_be_imported_is_named_and_stops_nothing(
    preload: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "broken.py"
    for text in ("import preloaded_nowhere", "this is no Python"):
        file.write_text(text)
        preload.import_as(file)
        assert str(file) in caplog.text
        caplog.clear()
