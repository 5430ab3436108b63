"""How a prediction gets into the laptop's lake: through the delivery stream of the bootstrap, in a real local cloud."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from include.lake import layout, resources
from infra.laptop.aws import Aws
from infra.laptop.bootstrap import data, roles
from infra.laptop.bootstrap.definitions import NAMES
from infra.laptop.config import LaptopConfig
from serving.telemetry.prediction_log import PredictionLog
from serving.telemetry.streams import open_stream
from tests.support.localcloud import base_config, running_cloud
from tests.support.telemetry import MODEL, prediction

pytestmark = pytest.mark.stack


def test_a_prediction_gets_into_the_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with running_cloud(tmp_path, base_config()) as cloud:
        for name, value in cloud.environment().items():
            monkeypatch.setenv(name, value)
        (tmp_path / "cloud").symlink_to(cloud.state)  # where the laptop stack has the local cloud's state
        aws = Aws(LaptopConfig.from_env(cloud_port=urlsplit(cloud.endpoint).port, run=tmp_path))
        aws.s3.create_bucket(Bucket=NAMES.lake)
        roles.create(aws, ["flights"])
        data.create_prediction_log(aws, "flights")
        data.create_prediction_log(aws, "flights")  # a second bootstrap
        dropped: list[int] = []
        stream = open_stream(f"firehose://{resources.prediction_stream('flights')}")
        log = PredictionLog(stream, MODEL, 10, lambda sent: None, dropped.append)
        log.start()
        log.put(prediction(1))
        log.end(60)
        log.join()
        assert dropped == []
        # Delivery is at least once: a call that a busy machine answers too late is sent again.
        found = aws.s3.list_objects_v2(Bucket=NAMES.lake, Prefix=layout.predictions_prefix("flights"))["Contents"]
        for key in [one["Key"] for one in found]:
            line = json.loads(aws.s3.get_object(Bucket=NAMES.lake, Key=key)["Body"].read())
            assert (line["request_id"], line["prediction"]) == ("r-1", 1)
        assert "PutRecordBatch" in [request["action"] for request in cloud.requests()]
