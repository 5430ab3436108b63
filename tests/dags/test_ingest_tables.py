"""The tables' ingest DAG: one task that reads every table of the workload."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException, ParamValidationError

from include.workloads import load as load_workload
from tests.support.dag_files import dag_run, load, platform_settings
from tests.support.moto_cloud import MotoCloud
from tests.support.postgres_db import SECRET


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return load("ingest_tables")


@pytest.fixture(scope="module")
def dag(module: ModuleType) -> Any:
    with platform_settings():
        return module.ingest_tables(load_workload("flights"), "nightjar/flights/database")


def test_one_task_reads_all_tables_in_one_snapshot(dag: Any) -> None:
    (task,) = dag.tasks
    assert task.task_id == "postgres_to_s3"
    assert task.execution_timeout.total_seconds() == 3600
    assert dag.max_active_runs == 1


def test_the_overlap_is_a_param(dag: Any) -> None:
    assert dag.params["overlap_seconds"] == 3600
    assert dag.params.get_param("overlap_seconds").schema["minimum"] == 0


@pytest.mark.parametrize("absurd", [-1, 10**15, "banana"])
def test_an_absurd_overlap_is_refused_when_the_run_is_triggered(dag: Any, absurd: Any) -> None:
    with pytest.raises(ParamValidationError):
        dag.params.get_param("overlap_seconds").resolve(absurd)


@pytest.mark.stack
def test_the_task_writes_the_new_rows_of_the_workloads_tables(
    module: ModuleType, db: Any, cloud: MotoCloud, build_stamp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUILD_FILE", build_stamp)
    for name, table in load_workload("flights").tables.items():
        columns = ", ".join(f'"{column}" timestamptz' for column in table.fields)
        db.execute(f'DROP TABLE IF EXISTS "{name}"; CREATE TABLE "{name}" ({columns})'.encode())
        db.execute(f'INSERT INTO "{name}" ("{table.watermark}") VALUES (now() - interval \'1 minute\')'.encode())
    context: dict[str, Any] = {"dag_run": dag_run(), "params": {"overlap_seconds": 3600}}
    with platform_settings():
        written = module.postgres_to_s3.function("flights", SECRET, **context)
        with pytest.raises(AirflowSkipException, match="nothing to ingest"):
            module.postgres_to_s3.function("flights", SECRET, **context)
    assert written == dict.fromkeys(load_workload("flights").tables, 1)
    for name, table in load_workload("flights").tables.items():
        (line,) = cloud.lines(f"raw/flights/{name}/")
        assert set(line["row"]) == set(table.fields)
