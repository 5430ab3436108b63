"""Rules that every DAG keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.workloads import discover
from tests.support.parsed_dags import ROOT, parsed

pytestmark = pytest.mark.stack
FILES = sorted(path.name for path in (ROOT / "dags").glob("*.py"))
KINDS = {"ingest", "process", "retrain", "deploy", "backfill", "retention", "monitor"}
MAXIMUM_LINES = 170
# Trigger rules by which the failure of an upstream task becomes the task's own.
PASSED_ON = {"all_success", "none_failed", "none_failed_min_one_success"}
WITHOUT_DAGS = {"invalid_workloads.py"}
# A parse happens every few seconds in the DAG processor, and again in every task.
HEAVY = {
    "duckdb", "great_expectations", "joblib", "matplotlib", "moto", "numpy", "onnx", "onnxruntime", "pandas", "pyarrow",
    "pyspark", "scipy", "skl2onnx", "sklearn", "sqlglot", "treelite",
}  # fmt: skip
UNNEEDED = {"include.glue", "include.model.bundle", "include.model.engines", "include.training", "infra", "serving"}


def dags(file: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = parsed()["files"][file]["dags"]
    return found


@pytest.mark.parametrize("file", FILES)
def test_it_parses_without_the_network(file: str) -> None:
    assert parsed()["files"][file]["error"] is None


@pytest.mark.parametrize("file", sorted(set(FILES) - WITHOUT_DAGS))
def test_it_makes_one_dag_per_workload_named_after_both(file: str) -> None:
    found = [workload for workload in discover()[0] if workload.tables or file != "ingest_tables.py"]
    assert set(dags(file)) == {f"{workload.name}_{file.removesuffix('.py')}" for workload in found}


@pytest.mark.parametrize("file", FILES)
def test_it_is_short_and_documented(file: str) -> None:
    found = parsed()["files"][file]
    assert found["lines"] <= MAXIMUM_LINES
    assert found["doc"]
    for dag in found["dags"].values():
        assert dag["doc_md"].strip() == found["doc"].strip()


@pytest.mark.parametrize("file", FILES)
def test_tags_are_from_the_vocabulary(file: str) -> None:
    workloads = {workload.name for workload in discover()[0]}
    for dag in dags(file).values():
        tags = set(dag["tags"])
        assert tags <= {"nightjar"} | KINDS | workloads
        assert "nightjar" in tags
        assert len(tags & KINDS) == 1
        assert len(tags & workloads) == 1


def test_every_word_of_the_vocabulary_is_used() -> None:
    assert {tag for file in FILES for dag in dags(file).values() for tag in dag["tags"]} >= KINDS


@pytest.mark.parametrize("file", FILES)
def test_every_task_has_owner_retries_time_limit_and_failure_callback(file: str) -> None:
    for dag_id, dag in dags(file).items():
        for task_id, task in dag["tasks"].items():
            name = f"{dag_id}.{task_id}"
            assert task["owner"] not in ("", "airflow"), name
            assert task["retries"] >= 1, name
            assert task["retry_delay"] <= 60, name
            assert task["execution_timeout"], name
            assert task["failure_callback"], name


@pytest.mark.parametrize("file", FILES)
def test_nothing_catches_up(file: str) -> None:
    for dag in dags(file).values():
        assert dag["catchup"] is False


@pytest.mark.parametrize("file", FILES)
def test_a_submit_task_and_its_sensor_are_in_one_task_group(file: str) -> None:
    for dag in dags(file).values():
        for task in (name for name in dag["tasks"] if name.startswith("submit_")):
            group = dag["tasks"][task]["group"]
            assert group and [dag["tasks"][after]["group"] for after in dag["downstream"][task]].count(group) == 1, task


@pytest.mark.parametrize("file", FILES)
def test_a_dag_with_a_teardown_task_stops_its_jobs_at_its_time_limit_and_can_be_marked_as_failed(file: str) -> None:
    """Airflow decides by the last tasks that are no teardown tasks; each job's sensor must lead to one."""
    for dag_id, dag in dags(file).items():
        assert dag["failure_callback"], dag_id
        teardowns = {task for task, described in dag["tasks"].items() if described["is_teardown"]}
        for task, after in dag["downstream"].items():
            if teardowns & set(after):
                assert set(after) - teardowns, f"{dag_id}.{task}: if only a teardown follows, nothing fails the run"


def hidden_failures(dag: dict[str, Any]) -> set[str]:
    """The tasks whose failure would leave the run green, so that its callback would tell nobody."""
    tasks, downstream = dag["tasks"], dag["downstream"]

    def fails_the_run(task: str) -> bool:
        if tasks[task]["is_teardown"]:
            return bool(tasks[task]["fails_the_run"])
        after = [name for name in downstream[task] if not tasks[name]["is_teardown"]]
        return not after or any(tasks[name]["trigger_rule"] in PASSED_ON and fails_the_run(name) for name in after)

    return {task for task in tasks if not fails_the_run(task)}


@pytest.mark.parametrize("file", FILES)
def test_a_failed_task_makes_its_run_red(file: str) -> None:
    for dag_id, dag in dags(file).items():
        assert hidden_failures(dag) == set(), dag_id


@pytest.mark.parametrize(("rule", "hidden"), [("all_success", set()), ("none_failed", set()), ("all_done", {"a"})])
def test_a_failure_that_the_next_task_swallows_is_found(rule: str, hidden: set[str]) -> None:
    plain = {"is_teardown": False, "fails_the_run": False, "trigger_rule": "all_success"}
    tasks = {"a": plain, "b": {**plain, "trigger_rule": rule}, "stop": {**plain, "is_teardown": True}}
    downstream = {"a": ["b", "stop"], "b": [], "stop": []}
    assert hidden_failures({"tasks": tasks, "downstream": downstream}) == hidden | {"stop"}


def unwanted(modules: list[str]) -> set[str]:
    """The modules that no DAG file should import, directly or not."""
    return {name for name in modules if any(f"{name}.".startswith(f"{other}.") for other in HEAVY | UNNEEDED)}


@pytest.mark.parametrize("file", FILES)
def test_parsing_imports_nothing_heavy_and_nothing_of_another_runtime(file: str) -> None:
    assert unwanted(parsed()["files"][file]["imports"]) == set()


def test_nothing_that_all_files_share_is_heavy() -> None:
    assert unwanted(parsed()["modules"]) == set()


def test_an_unwanted_import_is_found(tmp_path: Path) -> None:
    (tmp_path / "light.py").write_text('"""Nothing."""\n')
    (tmp_path / "slow.py").write_text('"""Pandas."""\nimport pandas\nimport include.training\n')
    files = parsed(folder=tmp_path)["files"]
    assert unwanted(files["light.py"]["imports"]) == set()
    assert {"pandas", "numpy", "include.training"} <= unwanted(files["slow.py"]["imports"])


@pytest.mark.parametrize("file", FILES)
def test_parsing_twice_gives_the_same_serialized_dag(file: str) -> None:
    again = parsed("2")["files"][file]["dags"]
    for dag_id, dag in dags(file).items():
        assert dag["serialized"] == again[dag_id]["serialized"]
