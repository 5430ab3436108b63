"""An object is written once, and never replaced."""

from __future__ import annotations

import pytest

from include.errors import ConflictError
from infra.package.write_once import put_once
from tests.support.moto_cloud import MotoCloud


def test_the_same_content_may_be_put_again_and_another_one_is_refused(cloud: MotoCloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="releases")
    assert put_once(s3, "releases", "a", b"1") is True
    assert put_once(s3, "releases", "a", b"1") is False
    with pytest.raises(ConflictError, match="s3://releases/a exists with another content"):
        put_once(s3, "releases", "a", b"2")
    assert s3.get_object(Bucket="releases", Key="a")["Body"].read() == b"1"


def test_another_failure_is_not_taken_for_an_existing_object(cloud: MotoCloud) -> None:
    s3 = cloud.client("s3")
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchBucket"):
        put_once(s3, "no-such-bucket", "a", b"1")
