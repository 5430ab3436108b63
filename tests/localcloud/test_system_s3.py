"""The provider's S3 operators and sensors, on two buckets, with a role that may use nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import Cloud
from tests.support.policed_roles import allow
from tests.support.system_runs import SystemRun

pytestmark = pytest.mark.stack
FIRST, SECOND = "system-s3-a", "system-s3-b"
BODY = "tea,0.5\nbread,2.5"


@pytest.fixture
def run(system_run: Callable[..., SystemRun]) -> SystemRun:
    buckets = [f"arn:aws:s3:::{name}" for name in (FIRST, SECOND)]
    return system_run(allow("s3:*", [*buckets, *(f"{bucket}/*" for bucket in buckets)]))


def large(files: list[dict[str, Any]], **context: Any) -> bool:
    """A check of the sensor's own: every file has more than 10 bytes."""
    return all(file["Size"] > 10 for file in files)


def test_objects_are_found_copied_changed_and_deleted(cloud: Cloud, run: SystemRun, tmp_path: Path) -> None:
    from airflow.providers.amazon.aws.operators import s3 as operators
    from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor, S3KeysUnchangedSensor

    api = cloud.client("s3")
    for name in (FIRST, SECOND):
        run.execute(operators.S3CreateBucketOperator, bucket_name=name)
    run.execute(operators.S3PutBucketTaggingOperator, bucket_name=FIRST, key="team", value="ml")
    tags = run.execute(operators.S3GetBucketTaggingOperator, bucket_name=FIRST)
    assert tags == [{"Key": "team", "Value": "ml"}]
    run.execute(operators.S3DeleteBucketTaggingOperator, bucket_name=FIRST)
    with pytest.raises(ClientError, match="NoSuchTagSet"):
        api.get_bucket_tagging(Bucket=FIRST)

    for key in ("raw/one.csv", "raw/two.csv", "note.txt"):
        run.execute(operators.S3CreateObjectOperator, s3_bucket=FIRST, s3_key=key, data=BODY)
    assert run.execute(operators.S3ListPrefixesOperator, bucket=FIRST, prefix="", delimiter="/") == ["raw/"]
    assert run.execute(operators.S3ListOperator, bucket=FIRST, prefix="raw/") == ["raw/one.csv", "raw/two.csv"]
    for deferrable in (False, True):
        for arguments in (
            {"bucket_key": "note.txt", "check_fn": large},
            {"bucket_key": ["raw/one.csv", "raw/two.csv"]},
            {"bucket_key": "raw/.*two", "use_regex": True},
            {"bucket_key": "raw/*.csv", "wildcard_match": True, "metadata_keys": ["*"], "check_fn": None},
        ):
            run.execute(S3KeySensor, bucket_name=FIRST, deferrable=deferrable, timeout=10, **arguments)

    run.execute(
        operators.S3CopyObjectOperator,
        source_bucket_name=FIRST, source_bucket_key="note.txt", dest_bucket_name=SECOND, dest_bucket_key="copy.txt",
    )  # fmt: skip
    script = tmp_path / "sort.sh"
    script.write_text('#!/bin/sh\nsort "$1" > "$2"\n')
    script.chmod(0o700)
    run.execute(
        operators.S3FileTransformOperator,
        source_s3_key=f"s3://{FIRST}/note.txt", dest_s3_key=f"s3://{SECOND}/sorted.txt", transform_script=str(script),
        source_aws_conn_id=None, dest_aws_conn_id=None,
    )  # fmt: skip
    run.execute(S3KeysUnchangedSensor, bucket_name=SECOND, prefix="", inactivity_period=1, timeout=20)
    assert api.get_object(Bucket=SECOND, Key="copy.txt")["Body"].read().decode() == BODY
    assert api.get_object(Bucket=SECOND, Key="sorted.txt")["Body"].read().decode() == "bread,2.5\ntea,0.5\n"

    run.execute(operators.S3DeleteObjectsOperator, bucket=SECOND, keys="copy.txt")
    assert [entry["Key"] for entry in api.list_objects_v2(Bucket=SECOND)["Contents"]] == ["sorted.txt"]
    for name in (FIRST, SECOND):
        run.execute(operators.S3DeleteBucketOperator, bucket_name=name, force_delete=True)
    assert not {FIRST, SECOND} & {bucket["Name"] for bucket in api.list_buckets()["Buckets"]}
