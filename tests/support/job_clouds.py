"""moto's server in this process: boto3 and aiobotocore talk to it over HTTP, tests set the states of its jobs."""

from __future__ import annotations

import asyncio
import os
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

from tests.support.parsed_dags import AIRFLOW_HOME

os.environ.setdefault("AIRFLOW_HOME", AIRFLOW_HOME.name)

import boto3
import pytest

from infra.laptop.free_ports import free_port
from tests.support.localcloud import Cloud, base_config, running_cloud

# A service that runs until it is stopped, and a job that its hyperparameters or arguments control.
APP = """
import os, signal, sys, time
print("starting version", os.environ.get("MODEL_VERSION"), flush=True)
if os.environ.get("MODEL_VERSION") == "broken":
    print("the bundle cannot be loaded", flush=True)
    sys.exit(3)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    time.sleep(0.2)
"""
JOB = """
import json, os, pathlib, sys, time
root = pathlib.Path(os.environ.get("ML_ROOT", "/opt/ml"))
given = root / "input/config/hyperparameters.json"
options = json.loads(given.read_text()) if given.exists() else {}
print("the job got", options, sys.argv[1:], flush=True)
print(f"metric:auc={options.get('auc', 0)}", flush=True)
time.sleep(float(options.get("seconds", 0)))
if options.get("fail") or "--fail" in sys.argv:
    (root / "output").mkdir(parents=True, exist_ok=True)
    (root / "output/failure").write_text("no such column: f_distance")
    sys.exit(1)
folder = root / ("model" if options else "processing/output")
folder.mkdir(parents=True, exist_ok=True)
(folder / "made").write_text("x")
"""
ACCOUNT, REGION = "123456789012", "us-east-1"


class TaskInstance:
    """The part of a task instance that our operators use: its names and XCom pushes."""

    dag_id, task_id = "shop_retrain", "submit_training"

    def __init__(self) -> None:
        self.xcoms: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value


class KilledTaskInstance(TaskInstance):
    """A worker that dies after the job was started and before the task has returned."""

    def xcom_push(self, key: str, value: Any) -> None:
        raise SystemExit("killed")


def context(run_id: str = "manual__1", ti: TaskInstance | None = None) -> Any:
    """What a task gets from Airflow, as far as our operators look at it."""
    return {"ti": ti or TaskInstance(), "run_id": run_id}


def fire(trigger: Any) -> dict[str, Any]:
    """Runs a trigger to its event, as the triggerer would after a round trip through its serialization."""
    path, kwargs = trigger.serialize()
    copy = type(trigger)(**kwargs)
    assert path == f"{type(trigger).__module__}.{type(trigger).__qualname__}"

    async def first() -> dict[str, Any]:
        async for event in copy.run():
            return event.payload
        raise AssertionError("the trigger ended without an event")

    return asyncio.run(asyncio.wait_for(first(), 180))  # a real rollout on a busy machine


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A running moto server's address."""
    from moto.server import ThreadedMotoServer  # Airflow's environment does not have moto

    port = free_port()
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    running.start()
    yield f"http://127.0.0.1:{port}"
    running.stop()


@pytest.fixture
def aws(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``aws("glue")``: a client of an empty cloud. Jobs keep the state that a test gives them."""
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    internal = "moto.moto_api._internal"
    monkeypatch.setattr(f"{internal}.managed_state_model.ManagedState.advance", lambda self: None)
    monkeypatch.setattr(
        f"{internal}.state_manager.StateManager.get_transition",
        lambda self, model_name: {"progression": "manual", "times": 1_000_000},
    )
    urllib.request.urlopen(urllib.request.Request(f"{server}/moto-api/reset", method="POST")).close()
    return lambda service: boto3.client(service, region_name=REGION)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The local cloud with two images: app:1, a service, and job:1, a training or processing job."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "app.py").write_text(APP)
    (folder / "job.py").write_text(JOB)
    images = {
        f"{name}:1": {"python": sys.executable, "cwd": str(folder), "command": ["python", f"{name}.py"]}
        for name in ("app", "job")
    }
    with running_cloud(tmp_path_factory.mktemp("cloud"), {**base_config(), "images": images}) as running:
        yield running


@pytest.fixture
def on_cloud(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Points the hooks of this process at the local cloud."""
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    return cloud


@pytest.fixture
def sagemaker(on_cloud: Cloud) -> Any:
    """The local cloud's client of SageMaker, and a bucket for its jobs."""
    on_cloud.client("s3").create_bucket(Bucket="artifact")
    return on_cloud.client("sagemaker")
