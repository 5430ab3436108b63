"""Tasks of Airflow's Amazon provider, executed in this process with the keys of a role, as a DAG runs them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.job_clouds import fire
from tests.support.localcloud import ACCOUNT, VENVS, Cloud
from tests.support.policed_roles import assume, delete_role, make_role

_NUMBERS = itertools.count(1)
SUBNETS = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}}
TRAIN = """
import csv, json, os, pathlib
root = pathlib.Path(os.environ.get("ML_ROOT", "/opt/ml"))
degree = int(json.loads((root / "input/config/hyperparameters.json").read_text())["classes"])
sums = {}
with (root / "input/data/train/train.csv").open() as file:
    for name, x in csv.reader(file):
        sums.setdefault(name, []).append(float(x))
assert len(sums) == degree, sums
(root / "model/centroids.json").write_text(json.dumps({name: sum(xs) / len(xs) for name, xs in sums.items()}))
print("metric: accuracy=0.95 loss=0.04", flush=True)
"""
SPLIT = """
import os, pathlib
root = pathlib.Path(os.environ.get("ML_ROOT", "/opt/ml")) / "processing"
header, *rows = (root / "input/input.csv").read_text().splitlines()
(root / "output/train.csv").write_text("".join(row + "\\n" for row in rows[::2]))
(root / "output/test.csv").write_text("".join(row.split(",")[1] + "\\n" for row in rows[1::2]))
print("split", len(rows), "rows of", header, flush=True)
"""


def system_images(folder: Path) -> dict[str, Any]:
    """The images of the system tests, whose scripts are written to ``folder``."""
    (folder / "train.py").write_text(TRAIN)
    (folder / "split.py").write_text(SPLIT)
    image = {"python": str(VENVS / "test" / "bin" / "python"), "cwd": str(folder)}
    return {
        "centroids:1": {**image, "command": ["python", "train.py"]},
        "split:1": {**image, "command": ["python", "split.py"]},
        "ubuntu": image,
    }


def system_training(name: str, role: str, bucket: str) -> dict[str, Any]:
    """A training job on ``split/train.csv`` of the bucket, with numbers as a template would render them."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/split/train.csv"}
    return {
        "TrainingJobName": name,
        "RoleArn": role,
        "AlgorithmSpecification": {
            "TrainingImage": "centroids:1",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": name, "Regex": f"metric:.*{name}=(\\S+)"} for name in ("accuracy", "loss")],
        },
        "HyperParameters": {"classes": "2"},
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": "1", "VolumeSizeInGB": "1"},
        "StoppingCondition": {"MaxRuntimeInSeconds": "60"},
    }


class Instance:
    """The part of a task instance that the provider's operators use."""

    dag_id, map_index, try_number = "system", -1, 1

    def __init__(self, run: SystemRun, task: Any) -> None:
        self.run_id, self.task_id, self.task = "manual__1", task.task_id, task
        self._xcoms = run.xcoms

    def xcom_push(self, key: str, value: Any) -> None:
        """Keeps a value for the tasks that follow."""
        self._xcoms[self.task_id, key] = value

    def xcom_pull(self, task_ids: str, key: str = "return_value") -> Any:
        """What a task pushed or returned; None if it did neither."""
        return self._xcoms.get((task_ids, key))


class SystemRun:
    """One run of a DAG: its tasks run one after the other, and ``xcoms`` keeps what they returned and pushed."""

    def __init__(self, cloud: Cloud, role: str) -> None:
        self.cloud = cloud
        self.role = role
        self.xcoms: dict[tuple[str, str], Any] = {}

    def execute(self, operator: type, task_id: str = "task", **arguments: Any) -> Any:
        """Executes a task of this class without a connection; returns what it returns."""
        if hasattr(operator, "poke"):
            arguments.setdefault("poke_interval", 0.2)
        if "source_aws_conn_id" not in arguments:
            arguments["aws_conn_id"] = None
        return self.finish(operator(task_id=task_id, **arguments))

    def finish(self, task: Any) -> Any:
        """Renders and executes a task. When it defers, its trigger runs to the event, and then the task goes on."""
        from airflow.sdk.exceptions import TaskDeferred

        instance = Instance(self, task)
        context = {"ti": instance, "task": task, "run_id": instance.run_id}
        task.render_template_fields(context)
        step = partial(task.execute, context)
        while True:
            try:
                result = step()
            except TaskDeferred as deferred:
                step = _resumed(task, context, deferred)
            else:
                instance.xcom_push("return_value", result)
                return result


def _resumed(task: Any, context: dict[str, Any], deferred: Any) -> partial[Any]:
    event = fire(deferred.trigger)
    return partial(getattr(task, deferred.method_name), context, event=event, **(deferred.kwargs or {}))


@pytest.fixture
def job_role(cloud: Cloud) -> Iterator[Callable[..., str]]:
    """``job_role("glue", statement, …)``: the ARN of a new role that this service may assume."""
    made: list[str] = []

    def make(service: str, *statements: dict[str, Any]) -> str:
        name = f"system-{next(_NUMBERS)}"
        principal = {"AWS": ACCOUNT} if service == "airflow" else {"Service": f"{service}.amazonaws.com"}
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
        arn = make_role(cloud, name, *statements, trust=trust)
        made.append(name)
        return arn

    yield make
    for name in made:
        delete_role(cloud, name)


@pytest.fixture
def system_run(cloud: Cloud, job_role: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., SystemRun]:
    """``system_run(statement, …)``: a DAG run whose role has these statements, and nothing else."""

    def start(*statements: dict[str, Any]) -> SystemRun:
        role = job_role("airflow", *statements)
        keys = {name.upper(): value for name, value in assume(cloud, role).items()}
        for name, value in {**cloud.environment(), **keys}.items():
            monkeypatch.setenv(name, value)
        return SystemRun(cloud, role)

    return start
