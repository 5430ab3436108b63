"""Each service's state over a stop and a kill of the server: everything that is described is equal before and after."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.described_data import databases, dynamodb, glue, kinesis, registry
from tests.support.described_platform import identities, messages, monitoring, networks, others, secrets_and_keys
from tests.support.restarts import RestartedCloud

pytestmark = pytest.mark.stack
SERVICES = (
    dynamodb, kinesis, glue, registry, secrets_and_keys, identities, messages, monitoring, networks, databases, others,
)  # fmt: skip


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Any]]]:
    """What each service describes: before, after a stop, and after a kill."""
    with RestartedCloud(tmp_path_factory.mktemp("restarted")) as server:
        described = [make(server.cloud) for make in SERVICES]
        answers: dict[str, list[Any]] = {
            make.__name__: [describe(server.cloud)] for make, describe in zip(SERVICES, described, strict=True)
        }
        for number in (signal.SIGTERM, signal.SIGKILL):
            cloud = server.restart(number)
            for make, describe in zip(SERVICES, described, strict=True):
                answers[make.__name__].append(describe(cloud))
        yield answers


@pytest.mark.parametrize("service", [make.__name__ for make in SERVICES])
def test_a_service_describes_the_same_before_and_after(restarted: dict[str, list[Any]], service: str) -> None:
    before, after_stop, after_kill = restarted[service]
    assert after_stop == before
    assert after_kill == before


def test_a_change_after_a_restart_is_kept(tmp_path: Path) -> None:
    with RestartedCloud(tmp_path) as server:
        describe = [make(server.cloud) for make in (glue, dynamodb, kinesis)]
        cloud = server.restart(signal.SIGKILL)
        cloud.client("glue").delete_partition(DatabaseName="d", TableName="x", PartitionValues=["7"])
        cloud.client("dynamodb").delete_item(TableName="t", Key={"p": {"S": "tx"}, "r": {"N": "1"}})
        cloud.client("kinesis").put_record(StreamName="k", Data=b"late", PartitionKey="late")
        cloud.client("kinesis").merge_shards(
            StreamName="k", ShardToMerge="shardId-000000000002", AdjacentShardToMerge="shardId-000000000003"
        )
        before = [each(cloud) for each in describe]
        cloud = server.restart(signal.SIGKILL)
        assert [each(cloud) for each in describe] == before
