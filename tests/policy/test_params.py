"""A key in a run's configuration that is no Param of the DAG fails the first task at once; Airflow ignores it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.workloads import load as load_workload
from tests.support.dag_files import dag_run, load, platform_settings
from tests.support.parsed_dags import ROOT

NAMES = sorted(path.stem for path in (ROOT / "dags").glob("*.py") if path.stem != "invalid_workloads")


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_key_is_refused(name: str, build_stamp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, workload = load(name), load_workload("flights")
    monkeypatch.setattr(module, "BUILD_FILE", build_stamp)
    with platform_settings():
        dag: Any = getattr(module, name)(workload, *(["secret"] if name == "ingest_tables" else []))
        (first,) = dag.roots
        run, params = dag_run(conf={"dates": "2013-03-01"}), {key: dag.params[key] for key in dag.params}
        known = ", ".join(sorted(params))
        with pytest.raises(AirflowFailException, match=rf'unknown keys: "dates".*The Params are {known}'):
            first.python_callable(*first.op_args, dag_run=run, params=params)
