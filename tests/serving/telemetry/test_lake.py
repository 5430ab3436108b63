"""The way of a prediction into the lake of the laptop: the delivery stream of the bootstrap, in a real local cloud."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from include.lake import layout
from infra.laptop.bootstrap import data, roles, services
from serving.telemetry.prediction_log import PredictionLog
from tests.serving.telemetry.conftest import IDENTITY, prediction
from tests.support.localcloud import base_config, running_cloud

WORKLOAD = SimpleNamespace(name="texts", serving=SimpleNamespace(cpu=2048))


@pytest.mark.stack
def test_a_prediction_lands_in_the_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with running_cloud(tmp_path, base_config()) as cloud:
        for name, value in cloud.environment().items():
            monkeypatch.setenv(name, value)
        aws = SimpleNamespace(s3=cloud.client("s3"), firehose=cloud.client("firehose"))
        aws.s3.create_bucket(Bucket="lake")
        data.create_prediction_log(aws, "lake", WORKLOAD)
        data.create_prediction_log(aws, "lake", WORKLOAD)  # a second bootstrap
        lost = []
        log = PredictionLog(
            f"firehose://{layout.prediction_stream('texts')}", IDENTITY, 10, lambda sent: None, lost.append
        )
        log.start()
        log.put(prediction(1))
        log.end(10)
        log.join()
        (found,) = aws.s3.list_objects_v2(Bucket="lake", Prefix=layout.predictions_prefix("texts"))["Contents"]
        line = json.loads(aws.s3.get_object(Bucket="lake", Key=found["Key"])["Body"].read())
        assert (line["request_id"], line["prediction"], lost) == ("r-1", 1, [])
        assert "PutRecordBatch" in [request["action"] for request in cloud.requests()]


def test_the_task_may_put_to_the_prediction_logs_and_to_nothing_else_of_firehose():
    statements = roles.policies("lake", "artifact")["ecs-task"]
    (allowed,) = [s for s in statements if any(action.startswith("firehose") for action in s["Action"])]
    assert allowed["Action"] == ["firehose:PutRecordBatch"]
    assert allowed["Resource"] == ["arn:aws:firehose:us-east-1:123456789012:deliverystream/nightjar-*-predictions"]
    assert roles.policies("lake", "artifact").keys() == roles.TRUSTED.keys()


def test_the_task_template_says_where_predictions_go():
    environment = {pair["name"]: pair["value"] for pair in services._environment(WORKLOAD)}
    assert environment == {
        "WORKLOAD": "texts",
        "PORT": "8080",
        "WORKERS": "2",
        "PREDICTION_LOG": "firehose://nightjar-texts-predictions",
        "METRICS_NAMESPACE": "Nightjar/Serving",
    }
    quarter = SimpleNamespace(name="texts", serving=SimpleNamespace(cpu=256))
    assert {"name": "WORKERS", "value": "1"} in services._environment(quarter)
