"""A broken workload is seen as an import error that names it, and takes no other workload's DAGs with it."""

from __future__ import annotations

import shutil
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import include.workloads
from include.errors import NightjarError
from tests.support.dag_files import load


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The tree's workloads, and two that do not load."""
    source = Path(str(files("include.workloads")))
    shutil.copytree(source / "flights", tmp_path / "flights")
    for name in ("empty", "wrong"):
        (tmp_path / name).mkdir()
    (tmp_path / "wrong" / "workload.yaml").write_text("description: 7\nclock: sundial\n")
    (tmp_path / "wrong" / "features.py").write_text("")
    monkeypatch.setattr(include.workloads, "discover", partial(include.workloads.discover, tmp_path))


def test_every_broken_workload_is_named_with_file_and_field(broken: Any) -> None:
    with pytest.raises(NightjarError, match="2 workload") as caught:
        load("invalid_workloads")
    text = str(caught.value)
    for part in ("empty", "wrong", "workload.yaml", "clock"):
        assert part in text


@pytest.mark.parametrize("file", ["ingest_stream", "ingest_tables", "process", "retrain", "deploy"])
def test_the_other_workloads_keep_their_dags(broken: Any, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk import DAG

    made: list[str] = []
    leave = DAG.__exit__

    def remember(dag: DAG, *error: Any) -> None:
        made.append(dag.dag_id)
        leave(dag, *error)

    monkeypatch.setattr(DAG, "__exit__", remember)
    load(file)
    assert made == [f"flights_{file}"]


def test_valid_workloads_raise_nothing() -> None:
    load("invalid_workloads")
