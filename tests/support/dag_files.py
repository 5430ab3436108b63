"""Loads a DAG file into the test's process with the DAGs' settings, and renders its templates as a worker does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

from include.settings import settings
from tests.support.files import load_file
from tests.support.parsed_dags import ROOT, SETTINGS


@contextmanager
def platform_settings() -> Iterator[None]:
    """The DAGs' settings, whatever this process was started with."""
    settings.cache_clear()
    with mock.patch.dict(os.environ, SETTINGS):
        yield
    settings.cache_clear()


def load(name: str) -> ModuleType:
    """The module of ``dags/<name>.py``, new at each call."""
    with platform_settings():
        return load_file(ROOT / "dags" / f"{name}.py")


def dag_run(**fields: Any) -> Any:
    """What a task sees of its run."""
    nothing = {"logical_date": None, "data_interval_start": None, "data_interval_end": None}
    return SimpleNamespace(
        **{
            "run_type": "manual",
            "triggering_user_name": "ann",
            "run_after": datetime(2026, 1, 1, tzinfo=UTC),
            "conf": {},
            **nothing,
            **fields,
        }
    )


def rendered(dag: Any, task_id: str, xcoms: dict[tuple[str, str], Any] | None = None, **context: Any) -> Any:
    """Returns the task with its template fields rendered as a worker does; ``xcoms`` are by (task, key)."""

    pushed = dict(xcoms or {})
    for (task, key), value in (xcoms or {}).items():
        if key == "return_value" and isinstance(value, dict):  # multiple outputs: each entry is an XCom too
            pushed |= {(task, name): item for name, item in value.items()}

    def pull(task_ids: str, key: str = "return_value", default: Any = None, map_indexes: Any = None) -> Any:
        return pushed.get((task_ids, key), default)

    task = dag.get_task(task_id).prepare_for_execution()
    params = {name: dag.params[name] for name in dag.params}
    task.render_template_fields({"ti": SimpleNamespace(xcom_pull=pull), "params": params, **context})
    return task
