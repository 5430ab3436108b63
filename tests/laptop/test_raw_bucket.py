"""The raw bucket that the bootstrap creates: nobody replaces an object in it, and ingestion still repairs a crash."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from nightjar.kinesis.hook import KinesisHook
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.lake import layout
from include.lake.buckets import DataBuckets
from include.pipelines.ingest.shard import ShardIngest
from include.pipelines.ingest.target import StreamTarget
from include.settings import Settings
from infra.laptop.aws import Aws
from infra.laptop.bootstrap import data, roles
from infra.laptop.bootstrap.definitions import NAMES
from infra.laptop.bootstrap.roles import Role
from infra.laptop.config import LaptopConfig, LaptopError
from tests.support.kinesis_stream import SHARD, event
from tests.support.localcloud import Cloud, base_config, running_cloud
from tests.support.policed_roles import assume, refused

pytestmark = pytest.mark.stack

KEY = layout.raw_stream_key("flights", "s", date(2013, 3, 1), SHARD, "1")
STATE = str(Settings.model_fields["state_table"].default)
LOCKED_DAYS = {"Mode": "GOVERNANCE", "Days": 1}


@pytest.fixture(params=["", "with Object Lock"], scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, Aws]]:
    """A local cloud with the bootstrap's buckets, roles and state table; the raw bucket with or without Object Lock."""
    folder = tmp_path_factory.mktemp("cloud")
    with running_cloud(folder, base_config()) as cloud:
        (folder / "cloud").symlink_to(cloud.state)  # where the laptop stack has the local cloud's state
        aws = Aws(LaptopConfig.from_env(cloud_port=urlsplit(cloud.endpoint).port, run=folder))
        if request.param:
            aws.s3.create_bucket(Bucket=NAMES.raw, ObjectLockEnabledForBucket=True)
            lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": LOCKED_DAYS}}
            aws.s3.put_object_lock_configuration(Bucket=NAMES.raw, ObjectLockConfiguration=lock)
        data.create_buckets(aws)
        roles.create(aws, ["flights"])
        data.create_state_table(aws)
        yield cloud, aws


@pytest.fixture
def as_airflow(running: tuple[Cloud, Aws], monkeypatch: pytest.MonkeyPatch) -> ObjectStoreHook:
    """The objects as Airflow's tasks see them; all hooks of this process have their role."""
    cloud, _ = running
    keys = assume(cloud, Role("airflow").arn)
    for name, value in {**cloud.environment(), **{name.upper(): key for name, key in keys.items()}}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return ObjectStoreHook()


def test_the_first_put_writes_the_object_and_no_other_does(as_airflow: ObjectStoreHook) -> None:
    assert as_airflow.put_once(NAMES.raw, KEY, b"first")
    assert not as_airflow.put_once(NAMES.raw, KEY, b"second")
    code, _, message = refused(lambda: as_airflow.put(NAMES.raw, KEY, b"third"))
    assert code == "AccessDenied" and "explicit deny in a resource-based policy" in message
    assert as_airflow.open(NAMES.raw, KEY).read() == b"first"


@pytest.mark.parametrize("role", roles.all_roles(["flights"]), ids=lambda role: role.name)
def test_no_role_replaces_or_deletes_an_object(running: tuple[Cloud, Aws], role: Role) -> None:
    cloud, _ = running
    s3, place = cloud.client("s3", **assume(cloud, role.arn)), {"Bucket": NAMES.raw, "Key": "raw/flights/s/any"}
    assert refused(lambda: s3.put_object(**place, Body=b"x"))[0] == "AccessDenied"
    assert refused(lambda: s3.delete_object(**place))[0] == "AccessDenied"


def test_the_operators_key_is_bound_too(running: tuple[Cloud, Aws]) -> None:
    _, aws = running
    place = {"Bucket": NAMES.raw, "Key": "raw/flights/s/by-a-person"}
    assert refused(lambda: aws.s3.put_object(**place, Body=b"x"))[0] == "AccessDenied"
    aws.s3.put_object(**place, Body=b"x", IfNoneMatch="*")
    assert refused(lambda: aws.s3.put_object(**place, Body=b"y", IfNoneMatch="*"))[0] == "PreconditionFailed"


def test_other_buckets_take_a_second_put(as_airflow: ObjectStoreHook) -> None:
    for body in (b"first", b"second"):
        as_airflow.put(NAMES.lake, "index/flights/s/m", body)
    assert as_airflow.open(NAMES.lake, "index/flights/s/m").read() == b"second"


class CrashError(Exception):
    """The worker dies."""


def test_a_crashed_ingestion_is_repaired(
    running: tuple[Cloud, Aws], as_airflow: ObjectStoreHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, aws = running
    stream = "nightjar-flights"
    aws.kinesis.create_stream(StreamName=stream, ShardCount=1)
    aws.kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
    for data_bytes in (event(1), b"no event", event(2)):
        aws.kinesis.put_record(StreamName=stream, Data=data_bytes, PartitionKey="k")
    target = StreamTarget("flights", stream, DataBuckets(raw=NAMES.raw, lake=NAMES.lake), "recorded_at")

    def ingest() -> Any:
        until = datetime(2999, 1, 1, tzinfo=UTC)
        hooks: Any = {"source": KinesisHook(), "objects": as_airflow, "state": StateHook(STATE)}
        return ShardIngest(target, SHARD, until, **hooks).run()

    def die(*arguments: Any) -> None:
        raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStoreHook, "put", die)  # after the commit: neither quarantine nor marker is written
        with pytest.raises(CrashError):
            ingest()
    assert list(as_airflow.keys(NAMES.lake, layout.index_prefix("flights", stream))) == []
    assert ingest()["repaired"] == 1
    (key,) = as_airflow.keys(NAMES.raw, layout.raw_prefix("flights", stream))
    (marker,) = as_airflow.keys(NAMES.lake, layout.index_prefix("flights", stream))
    assert layout.marked_raw_key("flights", stream, marker) == key
    assert len(list(as_airflow.keys(NAMES.lake, layout.quarantine_prefix("flights", stream)))) == 1


def test_a_run_folder_with_raw_objects_in_the_lake_is_refused(tmp_path: Path) -> None:
    with running_cloud(tmp_path, base_config()) as cloud:
        (tmp_path / "cloud").symlink_to(cloud.state)
        aws = Aws(LaptopConfig.from_env(cloud_port=urlsplit(cloud.endpoint).port, run=tmp_path))
        aws.s3.create_bucket(Bucket=NAMES.lake)
        aws.s3.put_object(Bucket=NAMES.lake, Key=KEY, Body=b"of an earlier version")
        with pytest.raises(LaptopError, match=r"earlier version.*make clean"):
            data.create_buckets(aws)
        with pytest.raises(ClientError, match="404"):
            aws.s3.head_bucket(Bucket=NAMES.raw)  # so the next start is refused too
        aws.s3.delete_object(Bucket=NAMES.lake, Key=KEY)
        data.create_buckets(aws)
        aws.s3.head_bucket(Bucket=NAMES.raw)
