"""A shadow on the local cloud: a real service logs what it answers, a real job with the jobs' role scores it again.

The steps are those of the DAG. The registry and the live log are in memory.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
from airflow.sdk.exceptions import TaskDeferred
from nightjar.jobs import JobSensor
from nightjar.jobs.sagemaker import SubmitProcessingJobOperator
from nightjar.objects import ObjectStoreHook

from include.lake import layout, resources
from include.model.bundle import sha256_hex
from include.pipelines.deploy import DeployHooks, VersionFaultError
from include.pipelines.deploy.live import NOTHING_LIVE, begun, went_live
from include.pipelines.deploy.live_log import append
from include.pipelines.deploy.shadow import Shadow, ShadowFinding
from include.workloads.deploying import ShadowSpec
from infra.laptop.aws import Aws
from infra.laptop.bootstrap import data, roles
from infra.laptop.bootstrap.definitions import NAMES
from infra.laptop.config import LaptopConfig
from tests.support.bundles import opposite_text_model, packed_texts, text_rows
from tests.support.deploy_runs import StateInMemory
from tests.support.job_clouds import context, fire
from tests.support.localcloud import ROOT, Cloud, base_config, running_cloud
from tests.support.packages import Registry, package
from tests.support.retrain_runs import SETTINGS
from tests.support.service import Service
from tests.support.shadows import with_shadow

pytestmark = pytest.mark.stack

WORKLOAD = with_shadow(ShadowSpec(minimum_requests=50, latency_factor=20)).model_copy(update={"name": "texts"})
LIVE, EQUAL, OPPOSITE = 1, 2, 3


class Versions(Registry):
    """Three versions of texts, whose metadata may be added to."""

    def __init__(self, bundles: Mapping[int, bytes]) -> None:
        uri = f"s3://{NAMES.artifact}/jobs/texts/evaluate/v{{}}/bundle.tar.gz"
        made = [package(version, f"2013-03-0{version}T00:00:00Z") for version in bundles]
        super().__init__(
            replace(
                one,
                metadata={
                    **one.metadata,
                    "bundle_uri": uri.format(one.version),
                    "bundle_digest": sha256_hex(bundles[one.version]),
                },
            )
            for one in made
        )
        self.added: dict[str, str] = {}

    def add_metadata(self, arn: str, metadata: Mapping[str, str]) -> dict[str, Any]:
        self.added |= metadata
        return {}


class Deploying:
    """A live service that has answered requests, and shadows of new versions beside it."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        bundles = {
            LIVE: packed_texts(),
            EQUAL: packed_texts(dataset_version="e" * 64),
            OPPOSITE: packed_texts(opposite_text_model()),
        }
        (folder / "cloud").symlink_to(cloud.state)  # where the laptop stack has the local cloud's state
        aws = Aws(LaptopConfig.from_env(cloud_port=urlsplit(cloud.endpoint).port, run=folder))
        for bucket in (NAMES.lake, NAMES.artifact):
            aws.s3.create_bucket(Bucket=bucket)
        roles.create(aws, ["texts"])
        roles.allow_extras(aws, {"shadow"})
        data.create_prediction_log(aws, "texts")
        self.aws, self.registry, self.objects = aws, Versions(bundles), ObjectStoreHook()
        for one in self.registry.packages:
            key = f"jobs/texts/evaluate/v{one.version}/bundle.tar.gz"
            aws.s3.put_object(Bucket=NAMES.artifact, Key=key, Body=bundles[one.version])
        self.settings = SETTINGS.model_copy(
            update={
                "lake_bucket": NAMES.lake,
                "artifact_bucket": NAMES.artifact,
                "training_role_arn": roles.Role("sagemaker").arn,
            }
        )
        stream = f"firehose://{resources.prediction_stream('texts')}"
        self.service = Service(folder, bundles[LIVE], MODEL_VERSION="1", WORKERS="1", PREDICTION_LOG=stream)
        self.service.until("/ready", 200)

    def answers(self) -> list[dict[str, Any]]:
        """What the live service answers to all requests."""
        found = [self.service.client.post("/predict", json=row) for row in text_rows()[0]]
        assert {answer.status_code for answer in found} == {httpx.codes.OK}
        return [answer.json() for answer in found]

    def predictions(self) -> float:
        """How many predictions the live service has made."""
        lines = self.service.client.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("nightjar_predictions_total"))

    def logged(self) -> int:
        """How many lines the prediction log has."""
        prefix = layout.predictions_prefix("texts")
        keys = self.objects.keys(NAMES.lake, prefix)
        return sum(self.objects.open(NAMES.lake, key).read().count(b"\n") for key in keys)

    def try_out(self, version: int) -> tuple[Shadow, ShadowFinding]:
        """Compares a version as the DAG does."""
        state, run_id = StateInMemory(), f"run of {version}"
        asked: Any = {"kind": "deploy", "release_hold": False, "reason": None}
        first = begun(NOTHING_LIVE, run_id="first", version=LIVE, **asked)
        live = went_live(first, version=LIVE, bundle_digest="d", task_definition="t", image="app:1")
        append("texts", begun({**live, "revision": 7}, run_id=run_id, version=version, **asked), state)  # type: ignore[arg-type]
        hooks = DeployHooks(cast("Any", state), cast("Any", None), self.registry)
        shadow = Shadow(WORKLOAD, hooks, self.objects, self.settings, "sha")
        chosen = next(one for one in self.registry.packages if one.version == version)
        target: Any = {
            "version": version,
            "package_arn": chosen.arn,
            "bundle_digest": chosen.metadata["bundle_digest"],
        }
        planned = shadow.plan(target, run_id)
        submit = SubmitProcessingJobOperator(
            task_id="submit_shadow", submit_key=planned["name"], config=planned["request"], poll_seconds=0.2
        )
        name = submit.execute(context(run_id))
        sensor: Any = JobSensor(task_id="sense_shadow", job=submit.job_class(str(name)), poll_seconds=0.2)
        try:
            finished = sensor.execute(context())
        except TaskDeferred as deferred:
            finished = sensor.execute_complete(context(), fire(deferred.trigger))
        return shadow, shadow.compare(target, planned, finished, run_id)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud with the training image."""
    image = {
        "python": sys.executable,
        "cwd": str(ROOT),
        "env": {"OMP_NUM_THREADS": "1"},
        "command": ["python", "-m", "include.training.train"],
    }
    images = {SETTINGS.training_image: image}
    with running_cloud(tmp_path_factory.mktemp("cloud"), {**base_config(), "images": images}) as running:
        yield running


@pytest.fixture
def deploying(on_cloud: Cloud, tmp_path: Path) -> Iterator[Deploying]:
    made = Deploying(on_cloud, tmp_path)
    yield made
    made.service.stop()


def test_an_equal_version_goes_on_and_an_opposite_one_is_stopped_while_the_live_one_answers(
    deploying: Deploying, on_cloud: Cloud
) -> None:
    before = deploying.answers()
    on_cloud.wait_until(lambda: deploying.logged() >= len(before))

    shadow, equal = deploying.try_out(EQUAL)
    assert "60 requests scored again; mean difference of the probabilities 0.0000" in shadow.accept(equal)
    assert deploying.registry.added == {"shadow_uri": equal["page"]}
    page = deploying.objects.open(NAMES.artifact, equal["page"].split("/", 3)[-1]).read().decode()
    assert "Shadow: texts, version 2 beside version 1" in page and "src=" not in page

    shadow, opposite = deploying.try_out(OPPOSITE)
    with pytest.raises(VersionFaultError, match=r"60 of 60 requests get another label") as stopped:
        shadow.accept(opposite)
    assert "the live version stays" in str(stopped.value)
    found = json.loads(deploying.objects.open(NAMES.artifact, opposite["document"].split("/", 3)[-1]).read())
    assert (found["control"]["differing"], found["refused"]["requests"]) == (0, 0)

    # Nobody got an answer of a shadow, and the service has seen no request of one.
    assert deploying.predictions() == len(before)
    assert deploying.logged() == len(before)
    assert deploying.answers() == before
