"""S3 URIs."""

from __future__ import annotations

SCHEME = "s3://"


def s3_uri(bucket: str, key: str) -> str:
    """Returns ``s3://bucket/key``; the key may be a prefix."""
    return f"{SCHEME}{bucket}/{key}"


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Splits ``s3://bucket/key`` into bucket and key; the key of a bare bucket is empty.

    Raises:
        ValueError: The text is no S3 URI.
    """
    bucket, _, key = uri.removeprefix(SCHEME).partition("/")
    if not uri.startswith(SCHEME) or not bucket:
        raise ValueError(f"{uri!r} is not an S3 URI: write it like s3://bucket/key")
    return bucket, key
