"""infra/localcloud/service_locks.py: writes of a service run alone, and its known reads beside each other."""

from __future__ import annotations

import io
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import moto
import moto.backends
import pytest
from botocore import xform_name

from infra.localcloud.request import ENVIRON_KEY, AwsRequest
from infra.localcloud.service_locks import READS, ServiceLocks


def send(application: Any, service: str, body: Any = None, *, action: str = "Act") -> Any:
    environ = {ENVIRON_KEY: AwsRequest(None, service, action, "", "json"), "wsgi.input": body or io.BytesIO(b"body")}
    return application(environ, None)


def test_one_request_of_a_service_at_a_time() -> None:
    inside: Counter[str] = Counter()
    most: Counter[str] = Counter()

    def application(environ: Any, start_response: Any) -> list[bytes]:
        service = environ[ENVIRON_KEY].service
        inside[service] += 1
        most[service] = max(most[service], inside[service])
        threading.Event().wait(0.005)
        inside[service] -= 1
        return [environ["wsgi.input"].read()]

    locks = ServiceLocks(application)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: send(locks, ("s3", "dynamodb")[number % 2]), range(40)))
    assert answers == [[b"body"]] * 40
    assert most == {"s3": 1, "dynamodb": 1}


def test_services_do_not_wait_for_each_other_nor_anyone_for_a_slow_sender() -> None:
    both = threading.Barrier(2, timeout=60)

    def application(environ: Any, start_response: Any) -> list[bytes]:
        if environ[ENVIRON_KEY].service != "logs":
            both.wait()
        return [b"done"]

    locks = ServiceLocks(application)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda service: send(locks, service), ("athena", "s3"))) == [[b"done"]] * 2

    sent = threading.Event()

    class Slow(io.BytesIO):
        def read(self, *size: Any) -> bytes:
            assert sent.wait(60)
            return b""

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(send, locks, "logs", Slow())
        assert send(locks, "logs") == [b"done"]
        sent.set()
        assert slow.result() == [b"done"]


PROBES: dict[tuple[str, str], dict[str, Any]] = {
    ("dynamodb", "BatchGetItem"): {"RequestItems": {"t": {"Keys": [{"k": {"S": "1"}}]}}},
    ("dynamodb", "DescribeTable"): {"TableName": "t"},
    ("dynamodb", "GetItem"): {"TableName": "t", "Key": {"k": {"S": "1"}}},
    ("dynamodb", "ListTables"): {},
    ("dynamodb", "Query"): {
        "TableName": "t",
        "KeyConditionExpression": "k = :k",
        "ExpressionAttributeValues": {":k": {"S": "1"}},
    },
    ("dynamodb", "Scan"): {"TableName": "t"},
    ("glue", "GetDatabase"): {"Name": "d"},
    ("glue", "GetDatabases"): {},
    ("glue", "GetPartition"): {"DatabaseName": "d", "TableName": "t", "PartitionValues": ["1"]},
    ("glue", "GetPartitions"): {"DatabaseName": "d", "TableName": "t"},
    ("glue", "GetTable"): {"DatabaseName": "d", "Name": "t"},
    ("glue", "GetTables"): {"DatabaseName": "d"},
    ("ssm", "GetParameter"): {"Name": "/p"},
    ("ssm", "GetParameters"): {"Names": ["/p"]},
}


def state_of(value: Any, seen: set[int]) -> Any:
    """Everything that can be reached from a backend, in a form that can be compared."""
    if isinstance(value, str | bytes | int | float | bool | None):
        return value
    if id(value) in seen:
        return "seen"
    seen.add(id(value))
    if isinstance(value, dict):
        return [(str(key), state_of(entry, seen)) for key, entry in value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return [state_of(entry, seen) for entry in value]
    return type(value).__name__, state_of(getattr(value, "__dict__", {}), seen)


def filled(service: str, client: Any) -> Any:
    """Fills a service; returns its backend."""
    match service:
        case "dynamodb":
            key = {"AttributeName": "k"}
            client.create_table(
                TableName="t",
                KeySchema=[{**key, "KeyType": "HASH"}],
                AttributeDefinitions=[{**key, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
            client.put_item(TableName="t", Item={"k": {"S": "1"}})
        case "glue":
            client.create_database(DatabaseInput={"Name": "d"})
            client.create_table(DatabaseName="d", TableInput={"Name": "t", "PartitionKeys": [{"Name": "p"}]})
            client.create_partition(DatabaseName="d", TableName="t", PartitionInput={"Values": ["1"]})
        case "ssm":
            client.put_parameter(Name="/p", Value="v", Type="String")
    backends: Any = moto.backends.get_backend(service)  # type: ignore[call-overload]  # the overloads know literals only
    return backends["123456789012"]["us-east-1"]


def test_every_parallel_read_has_a_probe() -> None:
    assert set(PROBES) == {(service, action) for service, actions in READS.items() for action in actions}


@pytest.mark.parametrize(("service", "action"), sorted(PROBES))
def test_a_parallel_read_changes_nothing(service: str, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with moto.mock_aws():
        keys = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        make: Any = boto3.client
        client = make(service, **keys)
        backend = filled(service, client)
        before = state_of(backend, set())
        getattr(client, xform_name(action))(**PROBES[service, action])
        assert state_of(backend, set()) == before


def test_reads_run_beside_reads_and_never_beside_a_write() -> None:
    inside: Counter[str] = Counter()
    most: Counter[str] = Counter()
    mixed: list[str] = []
    guard = threading.Lock()

    def application(environ: Any, start_response: Any) -> list[bytes]:
        kind = environ[ENVIRON_KEY].action
        with guard:
            inside[kind] += 1
            most[kind] = max(most[kind], inside[kind])
            mixed.extend([kind] if inside["GetItem"] and inside["PutItem"] else [])
        threading.Event().wait(0.005)
        with guard:
            inside[kind] -= 1
        return [b""]

    locks = ServiceLocks(application)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: send(locks, "dynamodb", action="PutItem" if n % 5 == 0 else "GetItem"), range(60)))
    assert (most["PutItem"], mixed) == (1, [])
    assert most["GetItem"] > 1


def test_a_long_body_waits_on_the_disk() -> None:
    # A spooled file has a name when it is on the disk.
    locks = ServiceLocks(lambda environ, start_response: [b"memory" if environ["wsgi.input"].name is None else b"disk"])
    assert send(locks, "dynamodb", io.BytesIO(b"x" * 1000)) == [b"memory"]
    assert send(locks, "dynamodb", io.BytesIO(b"x" * 1_000_000)) == [b"disk"]
