"""Parses every DAG file as the DAG processor does, without network, and prints the result as JSON.

``python parse_dags.py FOLDER`` with the DAGs' settings in its environment. A file that cannot be imported is reported,
not raised.
"""

from __future__ import annotations

import ast
import importlib
import json
import socket
import sys
from pathlib import Path
from typing import Any

from tests.support.files import load_file


def refuse(*arguments: Any, **options: Any) -> None:
    """Replaces the functions that open a connection."""
    raise AssertionError(f"a DAG file opens a connection when it is parsed: {arguments[1:]}")


def describe(task: Any) -> dict[str, Any]:
    """Returns what the rules check. A mapped task has the attributes of the tasks made from it."""
    limit = task.execution_timeout
    return {
        "owner": task.owner,
        "retries": task.retries,
        "retry_delay": task.retry_delay.total_seconds(),
        "execution_timeout": limit.total_seconds() if limit else None,
        "failure_callback": bool(task.has_on_failure_callback),
        "is_teardown": task.is_teardown,
        "pool": task.pool,
        "weight_rule": str(task.weight_rule),
        "fails_the_run": task.on_failure_fail_dagrun,
        "trigger_rule": getattr(task.trigger_rule, "value", task.trigger_rule),
        "group": task.task_group.group_id if task.task_group else None,
    }


def describe_param(param: Any) -> dict[str, Any]:
    """Returns a Param as the form gets it."""
    return {"description": param.description, "default": param.value, "schema": param.schema}


def describe_dag(dag: Any, serialize: Any) -> dict[str, Any]:
    """Returns a DAG as JSON."""
    return {
        "tags": sorted(dag.tags),
        "doc_md": dag.doc_md,
        "catchup": dag.catchup,
        "failure_callback": bool(dag.has_on_failure_callback),
        "params": {name: describe_param(dag.params.get_param(name)) for name in dag.params},
        "tasks": {task.task_id: describe(task) for task in dag.tasks},
        "downstream": {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks},
        "serialized": serialize(dag),
    }


def parse(path: Path, serialize: Any) -> dict[str, Any]:
    """Imports one file; returns its DAGs, and the modules that nothing had imported before."""
    from airflow.sdk import DAG

    source, made, error = path.read_text(), [], None
    before, leave = set(sys.modules), DAG.__exit__

    def remember(self: DAG, *arguments: Any) -> Any:
        made.append(self)
        return leave(self, *arguments)

    DAG.__exit__ = remember  # type: ignore[method-assign]  # to see every DAG that the file makes
    try:
        load_file(path)
    except Exception as raised:
        error = repr(raised)
    finally:
        DAG.__exit__ = leave  # type: ignore[method-assign]  # as it was
    return {
        "doc": ast.get_docstring(ast.parse(source)),
        "lines": len(source.splitlines()),
        "dags": {dag.dag_id: describe_dag(dag, serialize) for dag in made},
        "error": error,
        "imports": sorted(set(sys.modules) - before),
    }


def main(folder: Path) -> None:
    """Parses the folder's files in their order."""
    from airflow.serialization.serialized_objects import DagSerialization

    importlib.import_module("include.workloads")  # what every file shares does not count as the first one's
    for method in ("connect", "connect_ex"):
        setattr(socket.socket, method, refuse)
    socket.getaddrinfo = refuse  # type: ignore[assignment]  # any call is refused
    files = {path.name: parse(path, DagSerialization.to_dict) for path in sorted(folder.glob("*.py"))}
    sys.stdout.write(json.dumps({"files": files, "modules": sorted(sys.modules)}, default=str) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
