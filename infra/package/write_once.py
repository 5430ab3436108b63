"""Writes objects that nobody may replace: a key that exists must have the same content."""

from __future__ import annotations

import hashlib
from typing import Any

from include.errors import ConflictError


def put_once(s3: Any, bucket: str, key: str, body: bytes) -> bool:
    """Writes an object unless the key exists; returns whether it was written.

    Args:
        s3: A boto3 client of S3.
        bucket: The bucket.
        key: The key.
        body: The content.

    Raises:
        ConflictError: The key exists with another content.
    """
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
    else:
        return True
    stored = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    if hashlib.sha256(stored).digest() != hashlib.sha256(body).digest():
        raise ConflictError(
            f"s3://{bucket}/{key} exists with another content ({len(stored)} bytes, not {len(body)}). It is never "
            "replaced. Commit what has changed, so that it gets another code sha, and package again."
        )
    return False
