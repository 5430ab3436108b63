"""The one shared platform of all end-to-end tests: ``make run``'s own command, on ports and a state folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest

from include.lake import layout
from include.settings import Settings
from include.workloads import Workload, load
from infra.laptop import registry, replay, stages
from infra.laptop.aws import Aws
from infra.laptop.config import ROOT, LaptopConfig
from infra.laptop.progress import Reporter
from infra.laptop.runs import Airflow, Run, RunFailedError
from infra.laptop.stages import Connection

WORKLOAD = "flights"


@dataclass
class Loop:
    """A platform on which ``make run`` has ended well, and a person's ways of using it."""

    config: LaptopConfig
    output: str

    @cached_property
    def aws(self) -> Aws:
        return Aws(self.config)

    @cached_property
    def airflow(self) -> Airflow:
        return Airflow(self.config.airflow_url)

    @cached_property
    def workload(self) -> Workload:
        return load(WORKLOAD)

    @property
    def connection(self) -> Connection:
        return Connection(self.config, self.aws, self.airflow, Reporter())

    @property
    def table(self) -> str:
        return Settings.model_fields["state_table"].default

    @property
    def nights(self) -> tuple[date, date]:
        """N and N+1."""
        return self.config.night, self.config.night + timedelta(days=1)

    def bucket(self, kind: str) -> str:
        """The lake or the artifact bucket."""
        return next(b["Name"] for b in self.aws.s3.list_buckets()["Buckets"] if kind in b["Name"])

    def keys(self, kind: str, prefix: str) -> list[str]:
        pages = self.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket(kind), Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def read(self, kind: str, key: str) -> bytes:
        return self.aws.s3.get_object(Bucket=self.bucket(kind), Key=key)["Body"].read()

    def service(self, path: str, body: Any = None) -> httpx.Response:
        """Asks the live service through its load balancer."""
        url = self.aws.ssm.get_parameter(Name=layout.service_url_parameter(WORKLOAD))["Parameter"]["Value"]
        return httpx.get(url + path, timeout=10) if body is None else httpx.post(url + path, json=body, timeout=10)

    def live(self) -> dict[str, Any]:
        """The live pointer."""
        return registry.live(self.aws, self.table, WORKLOAD)

    def package(self, version: int) -> dict[str, Any]:
        return next(p for p in registry.versions(self.aws, WORKLOAD) if p["ModelPackageVersion"] == version)

    def run(self, dag: str, **params: Any) -> Run:
        """Triggers a DAG by REST and follows it; raises RunFailedError, with the failing task's log, when it ends red."""
        dag_id = f"{WORKLOAD}_{dag}"
        return self.airflow.follow(dag_id, self.airflow.trigger(dag_id, params), Reporter())

    def red(self, dag: str, **params: Any) -> str:
        """The text of a run that must end red."""
        with pytest.raises(RunFailedError) as failure:
            self.run(dag, **params)
        return str(failure.value)

    def send(self, events: list[dict[str, Any]]) -> None:
        """Puts events on the workload's stream."""
        for first in range(0, len(events), replay.BATCH):
            replay.put_records(self.aws, self.workload.stream.name, events[first : first + replay.BATCH])

    def replay_day(self, day: date) -> list[dict[str, Any]]:
        """What was recorded on one day of history, in order; not sent."""
        return replay.History(self.workload, self.config.data, day, day + timedelta(days=1)).by_day[str(day)]

    def ingest(self, day: date) -> None:
        stages.ingest(self.connection, WORKLOAD, day)

    def query(self, sql: str) -> list[list[str | None]]:
        """Rows of an Athena query over the published tables."""
        athena = self.aws.athena
        context = {"Database": Settings.model_fields["glue_database"].default}
        group = Settings.model_fields["athena_workgroup"].default
        query = athena.start_query_execution(QueryString=sql, QueryExecutionContext=context, WorkGroup=group)[
            "QueryExecutionId"
        ]
        while True:
            status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
            time.sleep(0.1)
        assert status["State"] == "SUCCEEDED", status.get("StateChangeReason")
        rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"][1:]
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    """Two nights on real data. Its processes are stopped at the end, by the platform's own command.

    The state lies outside pytest's own folders, of which other pytest runs keep the newest three; it stays when a test failed.
    """
    state = Path(tempfile.mkdtemp(prefix="nightjar-e2e-"))
    settings = {
        "NIGHTJAR_RUN": str(state),
        "NIGHTJAR_AIRFLOW_PORT": str(free_port()),
        "NIGHTJAR_SERVICE_PORT": str(free_port()),
        "NIGHTJAR_CLOUD_PORT": str(free_port()),
    }
    environ = {**os.environ, **settings}
    with mock.patch.dict(os.environ, settings):
        config = LaptopConfig.from_env()
    command = [str(config.python("laptop")), "-m", "infra.laptop"]
    try:
        done = subprocess.run([*command, "run"], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=1500)
        print(done.stdout[-6000:])
        assert done.returncode == 0, f"make run failed:\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        yield Loop(config, done.stdout)
    finally:
        stopped = subprocess.run([*command, "stop"], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120)
        print(stopped.stdout, stopped.stderr, json.dumps(settings))
        if not request.session.testsfailed:
            shutil.rmtree(state)
