"""A moto server of a test module's own: S3, Kinesis, DynamoDB, Glue catalog, Secrets Manager and SNS over real HTTP."""

from __future__ import annotations

import gzip
import json
import urllib.request
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.support.ports import free_port

LAKE = "nj-lake"
ARTIFACT = "nj-artifact"
STATE = "nightjar-state"


class MotoCloud:
    """Clients of the server, and what tests look at in it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    @cache
    def client(self, service: str) -> Any:
        """A boto3 client."""
        keys = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        return boto3.client(service, endpoint_url=self.endpoint, **keys)

    def reset(self) -> None:
        """Nothing is left but the platform's buckets and state table."""
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")).read()
        self.make()

    def make(self) -> None:
        """Buckets and the state table."""
        for bucket in (LAKE, ARTIFACT):
            self.client("s3").create_bucket(Bucket=bucket)
        self.client("dynamodb").create_table(
            TableName=STATE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )

    def keys(self, prefix: str, bucket: str = LAKE) -> list[str]:
        """Keys below a prefix."""
        return [
            entry["Key"]
            for entry in self.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        ]

    def lines(self, prefix: str) -> list[dict[str, Any]]:
        """Every JSON line of the gzip objects below a prefix."""
        bodies = [self.client("s3").get_object(Bucket=LAKE, Key=key)["Body"].read() for key in self.keys(prefix)]
        return [json.loads(line) for body in bodies for line in gzip.decompress(body).splitlines()]


@pytest.fixture(scope="module")
def moto_server() -> Iterator[MotoCloud]:
    """The server, for a module's tests."""
    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    yield MotoCloud(f"http://127.0.0.1:{port}")
    server.stop()


@pytest.fixture
def cloud(moto_server: MotoCloud, monkeypatch: pytest.MonkeyPatch) -> MotoCloud:
    """An empty cloud; this process's AWS clients talk to it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    moto_server.reset()
    return moto_server
