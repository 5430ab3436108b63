"""Parses every DAG file as the DAG processor would, with the network shut, and prints what came of it as JSON.

``python parse_dags.py FOLDER`` with the platform's environment. A file that cannot be imported is told of, not raised.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

BANNED = ("pandas", "numpy", "pyarrow", "sklearn", "great_expectations", "pyspark", "onnxruntime", "duckdb")


def refuse(*arguments: Any, **options: Any) -> None:
    raise AssertionError(f"a DAG file opens a connection when it is parsed: {arguments[1:]}")


def describe(task: Any) -> dict[str, Any]:
    """What the rules look at. A mapped task answers for the attributes of the tasks made from it."""
    limit = task.execution_timeout
    return {
        "owner": task.owner,
        "retries": task.retries,
        "retry_delay": task.retry_delay.total_seconds(),
        "execution_timeout": limit.total_seconds() if limit else None,
        "failure_callback": bool(task.has_on_failure_callback),
    }


def main(folder: Path) -> None:
    from airflow.sdk import DAG
    from airflow.serialization.serialized_objects import DagSerialization

    importlib.import_module("include.workloads")  # what every file shares is not counted against the first
    for method in ("connect", "connect_ex"):
        setattr(socket.socket, method, refuse)
    socket.getaddrinfo = refuse
    files: dict[str, Any] = {}
    for path in sorted(folder.glob("*.py")):
        source = path.read_text()
        found: dict[str, Any] = {
            "doc": ast.get_docstring(ast.parse(source)),
            "lines": len(source.splitlines()),
            "dags": {},
            "error": None,
        }
        files[path.name] = found
        begin = time.perf_counter()
        spec = importlib.util.spec_from_file_location(f"dag_file_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        made: list[DAG] = []
        leave = DAG.__exit__

        def remember(self: DAG, *arguments: Any, made: list[DAG] = made, leave: Any = leave) -> Any:
            made.append(self)
            return leave(self, *arguments)

        DAG.__exit__ = remember
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            found["error"] = repr(error)
        finally:
            DAG.__exit__ = leave
        found["seconds"] = time.perf_counter() - begin
        for dag in made:
            found["dags"][dag.dag_id] = {
                "tags": sorted(dag.tags),
                "doc_md": dag.doc_md,
                "catchup": dag.catchup,
                "params": {name: dag.params.get_param(name).description for name in dag.params},
                "tasks": {task.task_id: describe(task) for task in dag.tasks},
                "downstream": {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks},
                "serialized": DagSerialization.to_dict(dag),
            }
    print(json.dumps({"files": files, "banned": [name for name in BANNED if name in sys.modules]}, default=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
