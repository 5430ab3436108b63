"""One client, two ways to the same real Airflow: HTTP, and MWAA's InvokeRestApi (botocore over a stand-in for MWAA)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.airflow_api import AirflowApi, AirflowRefusedError, AirflowUnreachableError, RunFailedError
from infra.airflow_api.http import HttpTransport
from infra.airflow_api.mwaa import MwaaTransport
from tests.support.mwaa_gateway import ENVIRONMENT, MwaaGateway, mwaa_of
from tests.support.real_airflow import RealAirflow, running_airflow

pytestmark = pytest.mark.stack
DAY = timedelta(days=1)
DAGS = """
from datetime import datetime, timezone

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, task
from airflow.sdk.exceptions import AirflowSkipException

DAILY = CronDataIntervalTimetable("30 0 * * *", timezone="UTC")
WEEK = {"start_date": datetime(2013, 6, 1, tzinfo=timezone.utc), "end_date": datetime(2013, 6, 7, tzinfo=timezone.utc)}

with DAG("nightly", schedule=DAILY, catchup=True, max_active_runs=2, **WEEK):
    @task
    def rest():
        pass

    rest()

with DAG("asked", schedule=None, params={"mood": Param("good", type="string")}):
    @task
    def work(params=None):
        if params["mood"] == "bad":
            raise ValueError("the mood is bad")

    @task
    def skip():
        raise AirflowSkipException("there is nothing to do")

    work() >> skip()
"""


class Progress:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.tasks: dict[str, tuple[str, str]] = {}

    def task(self, name: str, state: str, seconds: float, note: str = "") -> None:
        self.tasks[name] = (state, note)

    def doing(self, text: str) -> None:
        pass


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAirflow]:
    home = tmp_path_factory.mktemp("airflow")
    dags: Path = home / "dags"
    dags.mkdir()
    (dags / "asked.py").write_text(DAGS)
    with running_airflow(home, dags, {}, triggerer=False) as running:
        yield running


@pytest.fixture(params=["http", "mwaa"])
def api(airflow: RealAirflow, request: pytest.FixtureRequest) -> Iterator[AirflowApi]:
    if request.param == "http":
        yield AirflowApi(HttpTransport(airflow.api.url), poll_seconds=0.2)
        return
    with mwaa_of(airflow.api.url) as mwaa:
        yield AirflowApi(MwaaTransport(mwaa, ENVIRONMENT), poll_seconds=0.2)


def test_a_run_is_triggered_and_followed_to_its_end(api: AirflowApi) -> None:
    progress = Progress()
    run = api.follow("asked", api.trigger("asked", {"mood": "good"}), progress)
    assert (run.state, run.tasks) == ("success", {"work": "success", "skip": "skipped"})
    assert progress.tasks == {"work": ("success", ""), "skip": ("skipped", "there is nothing to do")}


def test_the_reason_of_a_failed_run_is_the_log_of_its_failed_task(api: AirflowApi) -> None:
    run_id = api.trigger("asked", {"mood": "bad"})
    with pytest.raises(RunFailedError, match=r"(?s)asked failed: http.*--- work .*the mood is bad"):
        api.follow("asked", run_id, Progress())
    assert run_id in [run["dag_run_id"] for run in api.runs("asked")]


def test_the_scheduled_run_of_a_day_is_found_and_runs_again_when_it_is_cleared(
    airflow: RealAirflow, api: AirflowApi
) -> None:
    midnight = datetime(2013, 6, 4, tzinfo=UTC)
    found: Any = airflow.wait(lambda: api.automatic_run("nightly", midnight, midnight + DAY), "the run of 3 June")
    assert (found["run_type"], found["logical_date"]) == ("scheduled", "2013-06-03T00:30:00Z")
    assert api.follow("nightly", found["dag_run_id"], Progress()).state == "success"
    api.clear("nightly", found["dag_run_id"])
    api.follow("nightly", found["dag_run_id"], Progress())
    (rest,) = api.tasks("nightly", found["dag_run_id"])
    assert rest["try_number"] >= 2
    assert api.automatic_run("nightly", midnight + 30 * DAY, midnight + 31 * DAY) is None


def test_a_second_request_to_parse_a_file_is_no_error(api: AirflowApi) -> None:
    """Airflow answers 409 while it has not begun with the first one."""
    for _ in range(3):
        api.parse_dag_files(["asked"])


def test_a_pool_is_created_and_changed(api: AirflowApi) -> None:
    for slots in (1, 2):
        api.put_pool("test-pool", slots, "a pool of a test")
        pools = {pool["name"]: pool["slots"] for pool in api.call("GET", "/pools")["pools"]}
        assert pools["test-pool"] == slots


def test_what_airflow_refuses_is_an_error_with_its_answer(api: AirflowApi) -> None:
    with pytest.raises(AirflowRefusedError, match=r"refused POST /dags/nothing/dagRuns \(404\)"):
        api.trigger("nothing", {})
    assert api.runs("nothing") == []


def test_the_link_is_that_of_the_user_interface(api: AirflowApi) -> None:
    assert api.link("asked", "a run").endswith("/dags/asked/runs/a%20run")


def test_a_missing_permission_of_mwaa_is_named() -> None:
    with MwaaGateway(None).client() as mwaa:
        api: Any = AirflowApi(MwaaTransport(mwaa, ENVIRONMENT), poll_seconds=0.2)
        with pytest.raises(AirflowUnreachableError, match="airflow:InvokeRestApi"):
            api.call("GET", "/pools")
