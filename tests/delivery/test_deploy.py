"""The deploy DAG of each workload is triggered and followed; the command's exit code says how it ended."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.workloads import discover
from infra.package.tree import ROOT
from tests.support.real_airflow import RealAirflow, running_airflow

pytestmark = pytest.mark.stack
NAMES = sorted(workload.name for workload in discover()[0])
DAGS = f"""
from airflow.sdk import DAG, Param, task

for name in {NAMES}:
    with DAG(f"{{name}}_deploy", schedule=None, params={{"version": Param("", type="string"), "reason": ""}}) as dag:
        @task(retries=0)
        def resolve(params=None):
            if params["version"] == "9":
                raise ValueError("There is no version 9. Versions: 1.")
            return dict(params)
        resolve()
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAirflow]:
    home = tmp_path_factory.mktemp("airflow")
    dags: Path = home / "dags"
    dags.mkdir()
    (dags / "deploy.py").write_text(DAGS)
    with running_airflow(home, dags, {}, triggerer=False) as running:
        yield running


def command(airflow: RealAirflow, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    options = [f"--airflow-url={airflow.api.url}", "--poll-seconds=0.2", "--timeout=120"]
    return subprocess.run(
        [sys.executable, "-m", f"infra.delivery.{module}", *options, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_pools_are_created_and_the_dags_are_awaited(airflow: RealAirflow) -> None:
    done = command(airflow, "prepare_airflow")
    assert done.returncode == 0, done.stderr
    pools = {pool["name"]: pool["slots"] for pool in airflow.api.call("GET", "/pools")["pools"]}
    assert pools["nightjar_publish"] == 1


def test_the_live_version_of_each_workload_is_deployed(airflow: RealAirflow) -> None:
    done = command(airflow, "deploy", "--reason=the new image")
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        run = airflow.api.runs(f"{name}_deploy", 1)[0]
        assert (run["state"], run["conf"]) == ("success", {"version": "live", "reason": "the new image"})
        assert f"{name}_deploy: success" in done.stdout


def test_a_failed_run_fails_the_command_with_the_reason_of_its_task(airflow: RealAirflow) -> None:
    done = command(airflow, "deploy", "--version=9", f"--workload={NAMES[0]}")
    assert done.returncode == 1
    assert "There is no version 9. Versions: 1." in done.stderr


def test_an_unknown_workload_is_refused_before_anything_is_triggered(airflow: RealAirflow) -> None:
    done = command(airflow, "deploy", "--workload=nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no workload nothing. There are:" in done.stderr


def test_without_an_airflow_the_command_fails_with_one_line(airflow: RealAirflow) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.delivery.deploy", "--airflow-url=http://127.0.0.1:1"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("Airflow does not answer at http://127.0.0.1:1") and "Traceback" not in done.stderr
