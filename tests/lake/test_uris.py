"""S3 URIs are made and split in one way."""

from __future__ import annotations

import pytest

from include.lake.uris import s3_uri, split_s3_uri


def test_a_uri_is_split_into_bucket_and_key() -> None:
    assert split_s3_uri("s3://lake/raw/a b/#1.gz") == ("lake", "raw/a b/#1.gz")
    assert s3_uri("lake", "raw/a b/#1.gz") == "s3://lake/raw/a b/#1.gz"
    assert s3_uri("lake", "raw/") == "s3://lake/raw/"
    assert split_s3_uri("s3://lake") == split_s3_uri("s3://lake/") == ("lake", "")


@pytest.mark.parametrize("uri", ["", "s3://", "s3:///key", "lake/key", "https://lake/key", "S3://lake/key"])
def test_anything_else_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="is not an S3 URI: write it like s3://bucket/key"):
        split_s3_uri(uri)
