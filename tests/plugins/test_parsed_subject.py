"""A task's process makes only the DAG that the task is of."""

from __future__ import annotations

from typing import Any

import pytest
from nightjar.runs import parsed_subject

from tests.support.dag_files import load
from tests.support.parsed_dags import ROOT

OF_TASK = "_AIRFLOW_PARSING_CONTEXT_DAG_ID"  # Airflow sets it while it executes a DAG file for a task
FILES = sorted(file.stem for file in (ROOT / "dags").glob("*.py") if "for _workload in" in file.read_text())


def test_it_is_the_subject_of_the_tasks_dag(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parsed_subject("ingest_stream") is None
    monkeypatch.setenv(OF_TASK, "flights_ingest_stream")
    assert parsed_subject("ingest_stream") == "flights"


@pytest.mark.parametrize("file", FILES)
def test_a_dag_file_loads_the_workload_of_a_task_and_otherwise_all(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def discover(only: str | None = None) -> tuple[list[Any], list[Any]]:
        asked.append(only)
        return [], []

    monkeypatch.setattr("include.workloads.discover", discover)
    load(file)
    monkeypatch.setenv(OF_TASK, f"flights_{file}")
    load(file)
    assert asked == [None, "flights"]
