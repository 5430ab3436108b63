"""The container's code writes to a real MLflow server as the laptop starts it: SQLite, artifacts in the local S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from include.training import evaluate, tracking, train
from infra.laptop import tracking as server
from infra.laptop.aws import Aws
from infra.laptop.bootstrap.definitions import NAMES
from infra.laptop.config import LaptopConfig
from infra.laptop.free_ports import free_port
from infra.laptop.processes import Supervisor
from tests.support.localcloud import base_config, running_cloud
from tests.support.product_home import HOME
from tests.support.training_inputs import make_flights, write_model_tar

pytestmark = pytest.mark.stack
JOB = "nj-flights-train-k"


@dataclass(frozen=True)
class Mlflow:
    """A running server, and the local S3 that it keeps artifacts in."""

    url: str
    s3: Any
    supervisor: Supervisor

    def call(self, path: str, **arguments: Any) -> Any:
        """An answer of its REST API."""
        answer = httpx.post(f"{self.url}/api/2.0/mlflow/{path}", json=arguments, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def runs(self) -> list[dict[str, Any]]:
        """The runs of flights."""
        experiment = httpx.get(
            f"{self.url}/api/2.0/mlflow/experiments/get-by-name",
            params={"experiment_name": "nightjar-flights"},
            timeout=60,
        ).json()["experiment"]["experiment_id"]
        return self.call("runs/search", experiment_ids=[experiment])["runs"]


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    folder = tmp_path_factory.mktemp("laptop")
    (folder / "cloud").symlink_to(folder / "state")
    with running_cloud(folder, base_config()) as cloud:
        config = LaptopConfig(
            home=HOME,
            run=folder,
            cloud_port=int(cloud.endpoint.rpartition(":")[2]),
            airflow_port=free_port(),
            service_port=free_port(following=9),
            tracking=True,
            tracking_port=free_port(),
        )
        cloud.client("s3").create_bucket(Bucket=NAMES.artifact)
        supervisor = Supervisor(folder)
        try:
            server.start(config, supervisor, Aws(config))
            server.wait_until_ready(config, supervisor)
            yield Mlflow(config.tracking_url, cloud.client("s3"), supervisor)
        finally:
            supervisor.stop(server.NAME)


def _pairs(run: dict[str, Any], kind: str) -> dict[str, Any]:
    return {entry["key"]: entry["value"] for entry in run["data"].get(kind, ())}


def test_a_training_job_and_its_evaluation_are_one_run(
    mlflow: Mlflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_flights(tmp_path)
    monkeypatch.setenv("ML_ROOT", str(tmp_path))
    monkeypatch.setenv(tracking.URI, mlflow.url)
    monkeypatch.setattr(tracking, "LIMIT_SECONDS", 240.0)  # on a busy machine it may take more than the 25 of a job
    monkeypatch.setattr(tracking, "CONNECT_SECONDS", 60.0)
    monkeypatch.setenv(tracking.TRAINING_JOB, JOB)
    monkeypatch.setenv(tracking.MODEL_URI, f"s3://artifact/jobs/flights/train/k/{JOB}/output/model.tar.gz")
    for _ in range(2):  # the second is a repetition, which adopts the run
        train.main()
    write_model_tar(tmp_path)
    evaluate.main(["--workload", "flights", "--bootstrap", "200", "--seed", "13"])
    assert "not tracked" not in caplog.text

    (run,) = mlflow.runs()
    assert (run["info"]["run_name"], run["info"]["status"]) == (JOB, "FINISHED")
    stored = (tmp_path / "processing/output/evaluation.json").read_text()
    evaluation = json.loads(stored)
    parameters, metrics, tags = (_pairs(run, kind) for kind in ("params", "metrics", "tags"))
    assert parameters["kind"] == "hist_gradient_boosting" and parameters["model.max_iter"] == "40"
    assert parameters["rows.train"] == "1600"
    assert metrics["test_auc"] == pytest.approx(evaluation["candidate"]["auc"])
    assert "validation_auc" in metrics and "importance/departure_minute" in metrics
    assert tags["nightjar.bundle_digest"] == evaluation["bundle_digest"]
    assert tags["nightjar.dataset_version"] == evaluation["dataset_version"]
    assert tags["nightjar.code_sha"] == "c" * 40

    history = httpx.get(
        f"{mlflow.url}/api/2.0/mlflow/metrics/get-history",
        params={"run_id": run["info"]["run_id"], "metric_key": "roc_true_positive_rate", "max_results": 1000},
        timeout=60,
    ).json()["metrics"]
    curve = {int(point["step"]): point["value"] for point in history}
    assert curve[100] == 1.0 and curve == dict(sorted(curve.items()))

    listed = mlflow.s3.list_objects_v2(Bucket=NAMES.artifact, Prefix="mlflow/")["Contents"]
    (key,) = [entry["Key"] for entry in listed if entry["Key"].endswith("/evaluation.json")]
    assert mlflow.s3.get_object(Bucket=NAMES.artifact, Key=key)["Body"].read().decode() == stored
