"""The laptop stack after ``make run``, shared by all end-to-end tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest

from include.lake import layout, resources
from include.model import bundle
from include.settings import Settings
from include.workloads import Workload, load
from infra.airflow_api import Run, RunFailedError
from infra.laptop import registry, replay, stages, status
from infra.laptop.aws import Aws
from infra.laptop.config import ROOT, LaptopConfig
from infra.laptop.free_ports import free_port
from infra.laptop.history_source import HistorySource
from infra.laptop.iam.grants import policies_digest
from infra.laptop.iam.record import Provoked
from infra.laptop.progress import Reporter
from infra.laptop.runs import Airflow
from infra.laptop.stages import Connection
from tests.support.iam_records import keep

WORKLOAD = "flights"
_RUN_SECONDS, _STOP_SECONDS, _COMMAND_SECONDS = 1500, 120, 300


@dataclass
class Loop:
    """The stack on which ``make run`` has succeeded, with the calls that a person makes to it.

    Attributes:
        config: The stack's settings.
        provoked: The denials that tests have caused on purpose.
    """

    config: LaptopConfig
    provoked: list[Provoked] = field(default_factory=list)

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
    def days(self) -> tuple[date, date]:
        """The days of the two retrain runs of ``make run``."""
        return self.config.night, self.config.night + timedelta(days=1)

    def status(self) -> dict[str, Any]:
        """What ``make status`` reports. A person would not wait as long as a busy machine may need."""
        with mock.patch.object(status, "TIMEOUT_SECONDS", 60.0):
            return status.status(self.config)

    # --- S3 and Athena ---

    def bucket(self, kind: str) -> str:
        """The ``raw``, the ``lake`` or the ``artifact`` bucket."""
        return next(b["Name"] for b in self.aws.s3.list_buckets()["Buckets"] if kind in b["Name"])

    def keys(self, kind: str, prefix: str) -> list[str]:
        """The keys of a bucket below ``prefix``."""
        pages = self.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket(kind), Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def read(self, kind: str, key: str) -> bytes:
        """An object's bytes."""
        return self.aws.s3.get_object(Bucket=self.bucket(kind), Key=key)["Body"].read()

    def query(self, sql: str) -> list[list[str]]:
        """The rows of an Athena query over the published tables; a NULL is an empty text."""
        athena = self.aws.athena
        context = {"Database": Settings.model_fields["glue_database"].default}
        group = Settings.model_fields["athena_workgroup"].default
        started = athena.start_query_execution(QueryString=sql, QueryExecutionContext=context, WorkGroup=group)
        query = started["QueryExecutionId"]
        while True:
            status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
            time.sleep(0.1)
        assert status["State"] == "SUCCEEDED", status.get("StateChangeReason")
        rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"][1:]
        return [[cell.get("VarCharValue", "") for cell in row["Data"]] for row in rows]

    # --- the service and the model registry ---

    def service(
        self, path: str, body: Any = None, workload: str = WORKLOAD, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """A live service's response, through its load balancer: GET, or POST with a body."""
        url = self.aws.ssm.get_parameter(Name=resources.service_url_parameter(workload))["Parameter"]["Value"]
        method = "GET" if body is None else "POST"
        return httpx.request(method, url + path, json=body, headers=headers, timeout=60)

    def live(self) -> dict[str, Any]:
        """The live pointer."""
        pointer = registry.live(self.aws, Settings.model_fields["state_table"].default, WORKLOAD)
        assert pointer is not None, "no version was deployed"
        return pointer

    def package(self, version: int) -> dict[str, Any]:
        """DescribeModelPackage of one version."""
        return next(p for p in registry.versions(self.aws, WORKLOAD) if p["ModelPackageVersion"] == version)

    def register(self, data: bytes) -> int:
        """Registers an approved version with this bundle, and with newer data than the live one. Returns its number."""
        live = self.package(int(self.live()["version"]))
        key = f"{layout.job_prefix(WORKLOAD, 'test', uuid.uuid4().hex)}{layout.BUNDLE_FILE}"
        self.aws.s3.put_object(Bucket=self.bucket("artifact"), Key=key, Body=data)
        uri = f"s3://{self.bucket('artifact')}/{key}"
        answer = self.aws.sagemaker.create_model_package(
            ModelPackageGroupName=resources.model_group(WORKLOAD),
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                **live["InferenceSpecification"],
                "Containers": [{**live["InferenceSpecification"]["Containers"][0], "ModelDataUrl": uri}],
            },
            CustomerMetadataProperties={
                **live["CustomerMetadataProperties"],
                "bundle_uri": uri,
                "bundle_digest": bundle.sha256_hex(data),
                "data_cutoff": "2013-12-01T00:00:00Z",
                "day": "2013-11-30",
            },
        )
        return int(answer["ModelPackageArn"].rsplit("/", 1)[1])

    def live_metadata(self) -> dict[str, str]:
        """The metadata of the live version's model package."""
        return self.package(int(self.live()["version"]))["CustomerMetadataProperties"]

    def live_files(self) -> dict[str, bytes]:
        """The files of the live version's bundle."""
        return bundle.unpack(registry.content(self.aws, self.live_metadata()["bundle_uri"]))

    def registered(self, day: date) -> dict[str, Any] | None:
        """The newest model package of the retrain run of ``day``, None when there is none."""
        return registry.version_of_day(self.aws, WORKLOAD, day)

    def metadata(self, day: date) -> dict[str, str]:
        """The metadata of the model package of the retrain run of ``day``."""
        package = self.registered(day)
        assert package is not None, f"the retrain run of {day} registered no version"
        return package["CustomerMetadataProperties"]

    # --- DAG runs and events ---

    def run(self, dag: str, **params: Any) -> Run:
        """Triggers a DAG by REST and follows it. Raises RunFailedError, with the failed task's log, when it fails."""
        dag_id = f"{WORKLOAD}_{dag}"
        return self.airflow.follow(dag_id, self.airflow.trigger(dag_id, params), Reporter())

    def airflow_command(self, *arguments: str) -> str:
        """Runs Airflow's own command line on the stack, as ``make airflow`` does; returns what it prints."""
        ports = {name: str(getattr(self.config, name)) for name in ("airflow_port", "service_port", "cloud_port")}
        settings = {
            f"NIGHTJAR_{name.upper()}": value for name, value in {**ports, "run": str(self.config.state)}.items()
        }
        argv = [str(self.config.python("laptop")), "-m", "infra.laptop", "airflow", "--", *arguments]
        environ = {**os.environ, **settings}
        done = subprocess.run(
            argv, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def job_runs(self) -> int:
        """How many runs of process's Glue jobs there have been."""
        pages = self.aws.glue.get_paginator("get_job_runs")
        jobs = [Settings.model_fields[name].default for name in ("glue_transform_job", "glue_audit_job")]
        return sum(len(page["JobRuns"]) for job in jobs for page in pages.paginate(JobName=job))

    def failed_run(self, dag: str, **params: Any) -> str:
        """The error text of a DAG run that must fail."""
        with pytest.raises(RunFailedError) as failure:
            self.run(dag, **params)
        return str(failure.value)

    def ingest(self, day: date) -> None:
        """Runs ingestion for one day."""
        stages.ingest(self.connection, WORKLOAD, day)

    def send(self, events: list[dict[str, Any]]) -> None:
        """Puts events on the workload's stream."""
        for first in range(0, len(events), replay.BATCH):
            replay.put_records(self.aws, self.workload.stream.name, events[first : first + replay.BATCH])

    @cached_property
    def recorded(self) -> dict[str, list[dict[str, Any]]]:
        """The events that ``make run`` replays and those of the day after, by the day on which they were recorded.

        They are read once: that takes as long for one day as for all.
        """
        ahead = HistorySource.open(WORKLOAD, self.config.data).recorded_ahead
        first, end = self.config.first_day - ahead, self.days[1] + timedelta(days=2)
        return replay.History(self.workload, self.config.data, first, end).by_day

    def recorded_on(self, day: date) -> list[dict[str, Any]]:
        """Copies of the events that were recorded on one day, in order."""
        return [dict(event) for event in self.recorded[str(day)]]


def until(condition: Callable[[], Any], what: str) -> Any:
    """The first true value of ``condition()``."""
    deadline = time.monotonic() + 300
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not within 300 s"
        time.sleep(0.5)
    return value


@pytest.fixture(scope="session")
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    """Runs ``make run``'s command (two retrain runs on real data) and stops the stack at the end.

    The state folder is outside pytest's own folders, because other pytest runs delete those. It is kept when a test
    has failed.
    """
    state = Path(tempfile.mkdtemp(prefix="nightjar-e2e-"))
    settings = {
        "NIGHTJAR_RUN": str(state),
        "NIGHTJAR_AIRFLOW_PORT": str(free_port()),
        "NIGHTJAR_SERVICE_PORT": str(free_port(following=9)),
        "NIGHTJAR_CLOUD_PORT": str(free_port()),
    }
    environ = {**os.environ, **settings}
    with mock.patch.dict(os.environ, settings):
        config = LaptopConfig.from_env()

    def laptop(command: str, seconds: float) -> subprocess.CompletedProcess[str]:
        argv = [str(config.python("laptop")), "-m", "infra.laptop", command]
        return subprocess.run(argv, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=seconds, check=False)

    policies, provoked = policies_digest(), list[Provoked]()
    try:
        done = laptop("run", _RUN_SECONDS)
        sys.stdout.write(done.stdout[-6000:])  # shown by pytest when a test fails
        assert done.returncode == 0, f"make run failed:\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        yield Loop(config, provoked)
    finally:
        stopped = laptop("stop", _STOP_SECONDS)
        keep(request.config, "usage", config.state / "cloud", policies, provoked)
        sys.stdout.write(f"{stopped.stdout} {stopped.stderr} {json.dumps(settings)}\n")
        if not request.session.testsfailed:
            shutil.rmtree(state)
