"""Where the bundle's bytes come from: S3, or a file."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

MAX_BUNDLE_BYTES = 512 * 1024 * 1024


class SourceError(ValueError):
    """The bundle cannot be fetched; the text names its URI and why."""


def fetch(uri: str) -> bytes:
    """The bytes at ``s3://bucket/key`` or ``file:///path``, unchecked. Errors: :class:`SourceError`."""
    parts = urlsplit(uri)
    data = _from_file(uri, parts.path) if parts.scheme == "file" else _from_s3(uri, parts.netloc, parts.path.lstrip("/"))
    if len(data) > MAX_BUNDLE_BYTES:
        raise SourceError(f"The bundle {uri} is larger than {MAX_BUNDLE_BYTES} bytes")
    return data


def _from_file(uri: str, path: str) -> bytes:
    try:
        with Path(unquote(path)).open("rb") as file:
            return file.read(MAX_BUNDLE_BYTES + 1)
    except OSError as error:
        raise SourceError(f"The bundle {uri} cannot be read: {error.strerror}") from None


def _from_s3(uri: str, bucket: str, key: str) -> bytes:
    config = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 4, "mode": "standard"})
    try:
        return boto3.client("s3", config=config).get_object(Bucket=bucket, Key=key)["Body"].read(MAX_BUNDLE_BYTES + 1)
    except (BotoCoreError, ClientError) as error:
        raise SourceError(f"The bundle {uri} cannot be fetched: {error}") from None
