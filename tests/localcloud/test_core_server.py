"""The server as a client sees it: refusals, the request log, connections, the shutdown."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import boto3
import psutil
import pytest
from botocore.config import Config as ClientConfig
from botocore.exceptions import ClientError

from tests.support.localcloud import ROOT, base_config, running_cloud
from tests.support.process_ends import has_ended

pytestmark = pytest.mark.stack
ROLE = "arn:aws:iam::123456789012:role/reader"

# One action for each protocol that moto lacks or pretends to execute.
REFUSED = [
    ("json", "sagemaker", "create_endpoint", {"EndpointName": "e", "EndpointConfigName": "c"}),
    ("json", "glue", "start_crawler", {"Name": "c"}),
    ("json", "kinesis", "update_max_record_size", {"MaxRecordSizeInKiB": 2048}),
    ("query", "iam", "list_organizations_features", {}),
    ("ec2", "ec2", "describe_coip_pools", {}),
    ("rest-json", "lambda", "list_capacity_providers", {}),
    ("rest-xml", "route53", "list_traffic_policies", {}),
    ("rest-xml", "s3", "get_bucket_abac", {"Bucket": "some-bucket"}),
]


def request_count(cloud: Any, action: str) -> int:
    return sum(line["action"] == action for line in cloud.requests())


@pytest.mark.parametrize(("protocol", "service", "operation", "arguments"), REFUSED, ids=lambda value: str(value)[:30])
def test_an_action_that_moto_lacks_or_pretends_is_refused_once(
    cloud: Any, protocol: str, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    client = cloud.client(service)
    action = client.meta.method_to_api_mapping[operation]
    before = request_count(cloud, action)
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**arguments)
    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error["Error"]["Code"] == ("NotImplemented" if service == "s3" else "NotImplementedException")
    assert "The local cloud cannot do" in error["Error"]["Message"]
    assert request_count(cloud, action) == before + 1


def test_the_log_names_role_action_and_resource(cloud: Any) -> None:
    cloud.client("s3").create_bucket(Bucket="log-bucket")
    assumed = cloud.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    keys = {"aws_access_key_id": assumed["AccessKeyId"], "aws_secret_access_key": assumed["SecretAccessKey"]}
    reader = boto3.session.Session(**keys, aws_session_token=assumed["SessionToken"], region_name="us-east-1")
    reader.client("s3", endpoint_url=cloud.endpoint).put_object(Bucket="log-bucket", Key="a/b", Body=b"x")
    with pytest.raises(ClientError):
        reader.client("dynamodb", endpoint_url=cloud.endpoint).describe_table(TableName="no-table")
    lines = [line for line in cloud.requests() if line["role"] == ROLE]
    assert [(line["service"], line["action"], line["resource"], line["status"]) for line in lines] == [
        ("s3", "PutObject", "log-bucket/a/b", 200),
        ("dynamodb", "DescribeTable", "no-table", 400),
    ]
    assert any(
        line["role"] == "operator" and line["action"] == "AssumeRole" and line["resource"] == ROLE
        for line in cloud.requests()
    )


def test_a_connection_serves_many_requests_even_when_a_body_is_left_unread(cloud: Any) -> None:
    connection = http.client.HTTPConnection(urlparse(cloud.endpoint).netloc, timeout=60)
    connection.request("GET", "/_nightjar/health")
    first = connection.getresponse()
    assert json.loads(first.read())["status"] == "ok"
    socket = connection.sock
    connection.request("POST", "/_nightjar/health", body=b"x" * 3_000_000)
    assert connection.getresponse().read()
    connection.request("GET", "/_nightjar/health")
    assert connection.getresponse().status == 200
    assert connection.sock is socket
    connection.close()


def test_objects_come_back_unchanged(cloud: Any) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="bytes-bucket")
    body = bytes(range(256)) * 4096
    for key in ("plain", "with space/ünï=code&.bin"):
        s3.put_object(
            Bucket="bytes-bucket", Key=key, Body=body, Metadata={"first-sequence": "1"}, ChecksumAlgorithm="SHA256"
        )
        got = s3.get_object(Bucket="bytes-bucket", Key=key, Range="bytes=256-511")
        assert got["Body"].read() == bytes(range(256))
        assert s3.head_object(Bucket="bytes-bucket", Key=key)["Metadata"] == {"first-sequence": "1"}
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket="bytes-bucket", Key="plain", Body=b"again", IfNoneMatch="*")
    assert caught.value.response["Error"]["Code"] == "PreconditionFailed"


def test_conditional_writes_have_one_winner(cloud: Any) -> None:
    s3 = cloud.client("s3", config=ClientConfig(max_pool_connections=16))
    s3.create_bucket(Bucket="race-bucket")

    def won(turn: tuple[int, int]) -> tuple[int, bool]:
        try:
            s3.put_object(Bucket="race-bucket", Key=f"key-{turn[0]}", Body=b"x", IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise
            return turn[0], False
        return turn[0], True

    with ThreadPoolExecutor(8) as pool:
        winners = [
            key for key, first in pool.map(won, [(key, writer) for key in range(10) for writer in range(8)]) if first
        ]
    assert sorted(winners) == list(range(10))


SLEEP = b"""
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path("got-sigterm").touch(), sys.exit(0)))
print(os.getpid())
time.sleep(120)
"""


def running_job(cloud: Any) -> psutil.Process:
    """A Glue run whose script prints its pid and sleeps."""
    s3, glue = cloud.client("s3"), cloud.client("glue")
    s3.create_bucket(Bucket="end-bucket")
    s3.put_object(Bucket="end-bucket", Key="sleep.py", Body=SLEEP)
    glue.create_job(Name="sleep", Role=ROLE, Command={"Name": "glueetl", "ScriptLocation": "s3://end-bucket/sleep.py"})
    run = glue.start_job_run(JobName="sleep")["JobRunId"]
    log = cloud.state / "logs" / "aws-glue" / "jobs" / "output" / run
    return psutil.Process(int(cloud.wait_until(lambda: log.exists() and log.read_text().strip())))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_jobs_end_with_the_server(tmp_path: Path, number: signal.Signals) -> None:
    with running_cloud(tmp_path, base_config(), root=ROOT) as cloud:
        job = running_job(cloud)
        cloud.process.send_signal(number)
        code = cloud.process.wait(30)
    assert code == (0 if number != signal.SIGKILL else -signal.SIGKILL)
    cloud.wait_until(lambda: has_ended(job))
    stopped = list(cloud.state.glob("glue/*/got-sigterm"))
    assert len(stopped) == (0 if number == signal.SIGKILL else 1)


def test_a_wrong_configuration_ends_the_start_with_the_field(tmp_path: Any) -> None:
    file = tmp_path / "cloud.yaml"
    file.write_text("port: 0\nstate: x\nglue: {python: /, jars: []}\n")
    ended = subprocess.run(
        [sys.executable, "-m", "infra.localcloud", "--config", str(file)], capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert "`port` must be a port number between 1 and 65535" in ended.stderr
    assert "Traceback" not in ended.stderr
