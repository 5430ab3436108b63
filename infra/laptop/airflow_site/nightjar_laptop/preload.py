"""Does once, in the scheduler, what each task would do at its start: its process is a fork of a fork of it.

The scheduler imports what the DAG files import, of libraries and of the project. An edit of the project counts all the
same: a fork compares the project's files with those that were imported, and forgets its modules if one has changed.
"""

from __future__ import annotations

import ast
import importlib
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from airflow.configuration import conf
from airflow.sdk import Asset

from .aws_clients import make_clients_cheap

# What tasks import of Airflow and libraries only when they run.
LIBRARIES = ("airflow.providers.amazon.aws.hooks.s3", "airflow.models.variable", "boto3.dynamodb.types")
_log = logging.getLogger(__name__)


def preload() -> None:
    """Imports, and has each fork from now on look for edits."""
    dags = Path(conf.get("core", "dags_folder"))
    for name in LIBRARIES:
        importlib.import_module(name)
    for file in sorted(dags.glob("*.py")):
        import_as(file)
    Asset("nightjar://preload")  # finds the providers' kinds of assets, which each DAG file with an asset needs
    make_clients_cheap()
    project = ProjectModules([dags.parent / "include", Path(conf.get("core", "plugins_folder"))])
    os.register_at_fork(after_in_child=project.forget_if_edited)


def import_as(file: Path) -> None:
    """Imports what a file imports at its top, without running the file. One that cannot be imported fails its tasks."""
    try:
        tree = ast.parse(file.read_bytes())
        tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        exec(compile(tree, str(file), "exec"), {"__name__": file.stem})
    except Exception:
        _log.exception("What %s imports is not imported before its tasks start", file)


class ProjectModules:
    """The imported modules of some folders, and what their files were like when they were imported.

    Args:
        folders: The project's folders.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(f"{folder}{os.sep}" for folder in folders)
        self._files = {file: _state(file) for file in self._modules().values()}

    def forget_if_edited(self) -> None:
        """Has the project imported anew if a file is no longer the one that was imported."""
        if any(_state(file) != state for file, state in self._files.items()):
            for name in self._modules():
                del sys.modules[name]
            importlib.invalidate_caches()

    def _modules(self) -> dict[str, str]:
        """File by name of the modules that are in the folders."""
        files = {name: getattr(module, "__file__", None) for name, module in sys.modules.copy().items()}
        return {name: file for name, file in files.items() if file and file.startswith(self._folders)}


def _state(file: str) -> tuple[int, int] | None:
    try:
        found = Path(file).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
