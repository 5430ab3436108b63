"""Loads a DAG file into the test's process with the platform's settings, and renders its templates as a worker would."""

from __future__ import annotations

import importlib.util
import os
from contextlib import contextmanager
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

from include.settings import settings
from tests.support.parsed_dags import ROOT, SETTINGS


@contextmanager
def platform_settings() -> Any:
    """The platform's settings, whatever this process was started with."""
    settings.cache_clear()
    with mock.patch.dict(os.environ, SETTINGS):
        yield
    settings.cache_clear()


def load(name: str) -> ModuleType:
    """The module of ``dags/<name>.py``, new at each call."""
    spec = importlib.util.spec_from_file_location(f"dag_file_{name}", ROOT / "dags" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    with platform_settings():
        spec.loader.exec_module(module)
    return module


def dag_run(**fields: Any) -> Any:
    """What a task sees of its run."""
    nothing = {"logical_date": None, "data_interval_start": None, "data_interval_end": None}
    return SimpleNamespace(**{"run_type": "manual", "run_after": datetime(2026, 1, 1, tzinfo=UTC), **nothing, **fields})


def rendered(dag: Any, task_id: str, xcoms: dict[tuple[str, str], Any] | None = None, **context: Any) -> Any:
    """The task after its templates were rendered; ``xcoms`` are by (task, key)."""

    def pull(task_ids: str, key: str = "return_value", **options: Any) -> Any:
        return (xcoms or {}).get((task_ids, key))

    task = dag.get_task(task_id)
    environment = dag.get_template_env()
    values = {
        "ti": SimpleNamespace(xcom_pull=pull),
        "params": {name: dag.params[name] for name in dag.params},
        **context,
    }
    fields = {
        name: task.render_template(getattr(task, name), values, environment)
        for name in task.template_fields
        if not hasattr(getattr(task, name, None), "resolve")
    }
    return SimpleNamespace(**{**vars(task), **fields})
