"""Rules that every DAG keeps."""

from __future__ import annotations

from typing import Any

import pytest

from include.workloads import discover
from tests.support.parsed_dags import ROOT, parsed

pytestmark = pytest.mark.stack
FILES = sorted(path.name for path in (ROOT / "dags").glob("*.py"))
KINDS = {"ingest", "process", "train", "retrain", "deploy", "monitor", "backfill"}
MAXIMUM_LINES = 160
WITHOUT_DAGS = {"invalid_workloads.py"}


def dags(file: str) -> dict[str, dict[str, Any]]:
    return parsed()["files"][file]["dags"]


@pytest.mark.parametrize("file", FILES)
def test_it_parses_without_the_network(file: str) -> None:
    assert parsed()["files"][file]["error"] is None


@pytest.mark.parametrize("file", sorted(set(FILES) - WITHOUT_DAGS))
def test_it_makes_one_dag_a_workload_named_after_both(file: str) -> None:
    names = {f"{workload.name}_{file.removesuffix('.py')}" for workload in discover()[0]}
    assert set(dags(file)) == names


@pytest.mark.parametrize("file", FILES)
def test_it_is_short_and_says_what_it_is(file: str) -> None:
    found = parsed()["files"][file]
    assert found["lines"] <= MAXIMUM_LINES
    assert found["doc"]
    for dag in found["dags"].values():
        assert dag["doc_md"] == found["doc"] or dag["doc_md"].strip() == found["doc"].strip()


@pytest.mark.parametrize("file", FILES)
def test_tags_are_from_the_vocabulary(file: str) -> None:
    workloads = {workload.name for workload in discover()[0]}
    for dag in dags(file).values():
        tags = set(dag["tags"])
        assert tags <= {"nightjar"} | KINDS | workloads
        assert "nightjar" in tags
        assert len(tags & KINDS) == 1
        assert len(tags & workloads) == 1


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
def test_every_param_is_described_and_nothing_catches_up(file: str) -> None:
    for dag in dags(file).values():
        assert all(dag["params"].values()), dag["params"]
        assert dag["catchup"] is False


def test_no_heavy_library_is_imported() -> None:
    assert parsed()["banned"] == []


@pytest.mark.parametrize("file", FILES)
def test_parsing_twice_gives_the_same_serialized_dag(file: str) -> None:
    again = parsed("2")["files"][file]["dags"]
    for dag_id, dag in dags(file).items():
        assert dag["serialized"] == again[dag_id]["serialized"]


def test_the_time_each_file_takes_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("\nDAG file                seconds to import (target: 1, warm)")
        for file, found in parsed("2")["files"].items():
            print(f"{file:24}{found['seconds']:.2f}")
