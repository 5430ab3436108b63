"""moto's server in this process: boto3 and aiobotocore talk to it over HTTP, tests set the states of its jobs."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="nightjar-airflow-"))

import boto3
import pytest
from moto.moto_api._internal.managed_state_model import ManagedState
from moto.moto_api._internal.state_manager import StateManager
from moto.server import ThreadedMotoServer

ACCOUNT, REGION = "123456789012", "us-east-1"


class TaskInstance:
    """The part of a task instance that our operators use: XCom pushes."""

    def __init__(self) -> None:
        self.xcoms: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value


class KilledTaskInstance(TaskInstance):
    """A worker that dies after the job was started and before the task has returned."""

    def xcom_push(self, key: str, value: Any) -> None:
        raise SystemExit("killed")


def context(run_id: str = "manual__1", ti: TaskInstance | None = None) -> dict[str, Any]:
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

    return asyncio.run(asyncio.wait_for(first(), 30))


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A running moto server's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
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
    monkeypatch.setattr(ManagedState, "advance", lambda self: None)
    monkeypatch.setattr(
        StateManager, "get_transition", lambda self, model_name: {"progression": "manual", "times": 1_000_000}
    )
    import urllib.request

    urllib.request.urlopen(urllib.request.Request(f"{server}/moto-api/reset", method="POST")).close()
    return lambda service: boto3.client(service, region_name=REGION)
