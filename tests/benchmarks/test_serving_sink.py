"""The telemetry sink, through the clients that the service uses."""

import json
import sys
from http.client import HTTPConnection
from pathlib import Path

import boto3
import pytest

from benchmarks.serving import sink
from benchmarks.serving.inputs import Form
from benchmarks.serving.servers import Server
from infra.laptop.free_ports import free_port
from serving.api_keys import parse

pytestmark = pytest.mark.stack


def test_it_receives_predictions_and_traces_and_has_a_secret(tmp_path: Path):
    port = free_port()
    with Server(
        [sys.executable, "-m", "benchmarks.serving.sink", str(port)], {}, port, tmp_path / "log", None
    ) as server:
        server.until_answers(Form("/v1/traces"))
        session = boto3.Session(region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
        endpoint = f"http://127.0.0.1:{port}"
        firehose = session.client("firehose", endpoint_url=endpoint)
        secrets = session.client("secretsmanager", endpoint_url=endpoint)
        answer = firehose.put_record_batch(
            DeliveryStreamName="bench", Records=[{"Data": b"{}\n{}\n"}, {"Data": b"{}\n"}]
        )
        assert (answer["FailedPutCount"], len(answer["RequestResponses"])) == (0, 2)
        found = parse(secrets.get_secret_value(SecretId=sink.SECRET)["SecretString"], sink.SECRET)
        assert [caller.name for caller in found.callers] == ["bench"]
        asked = HTTPConnection("127.0.0.1", port, timeout=60)
        asked.request("GET", "/")
        assert json.load(asked.getresponse()) == {"traces": 1, "predictions": 3, "secrets": 1}
