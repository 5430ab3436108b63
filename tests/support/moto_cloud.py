"""A moto server for one test module: S3, Kinesis, DynamoDB, Glue catalog, Secrets Manager and SNS over real HTTP."""

from __future__ import annotations

import gzip
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from include.lake.buckets import DataBuckets
from tests.support.state_table import create_state_table

RAW = "nj-raw"
LAKE = "nj-lake"
ARTIFACT = "nj-artifact"
STATE = "nightjar-state"
BUCKETS = DataBuckets(raw=RAW, lake=LAKE)


class MotoCloud:
    """Clients of the server, and what tests look at in it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._clients: dict[str, Any] = {}
        self._session = boto3.Session(
            aws_access_key_id="AKIATEST", aws_secret_access_key="test", region_name="us-east-1"
        )

    def client(self, service: Any) -> Any:
        """Returns the boto3 client of a service."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service, endpoint_url=self.endpoint)
        return self._clients[service]

    def reset(self) -> None:
        """Deletes everything, then creates the buckets and the state table."""
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")).read()
        self.create_resources()

    def create_resources(self) -> None:
        """Creates the buckets and the state table."""
        for bucket in (RAW, LAKE, ARTIFACT):
            self.client("s3").create_bucket(Bucket=bucket)
        create_state_table(self.client("dynamodb"), STATE)

    def keys(self, prefix: str, bucket: str = "") -> list[str]:
        """Lists the keys below a prefix; without a bucket, in the one where such keys belong."""
        bucket = bucket or bucket_of(prefix)
        return [
            entry["Key"]
            for entry in self.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        ]

    def lines(self, prefix: str) -> list[dict[str, Any]]:
        """Parses every JSON line of the gzip objects below a prefix."""
        bucket = bucket_of(prefix)
        bodies = [self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() for key in self.keys(prefix)]
        return [json.loads(line) for body in bodies for line in gzip.decompress(body).splitlines()]


def bucket_of(prefix: str) -> str:
    """The bucket of data in which keys with this prefix belong."""
    return BUCKETS.raw if prefix.startswith("raw/") else BUCKETS.lake


@pytest.fixture(scope="module")
def moto_server() -> Iterator[MotoCloud]:
    """The server of a module's tests."""
    from moto.server import ThreadedMotoServer  # Airflow's environment does not have moto

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield MotoCloud(f"http://127.0.0.1:{port}")
    server.stop()


@pytest.fixture
def cloud(moto_server: MotoCloud, monkeypatch: pytest.MonkeyPatch) -> MotoCloud:
    """An empty cloud. The AWS clients of this process talk to it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    moto_server.reset()
    return moto_server
