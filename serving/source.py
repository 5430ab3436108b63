"""Where the bundle's bytes come from: S3, or a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# A forest of five million nodes is 160 MB compressed, with its fast form and the scikit-learn original.
MAX_BUNDLE_BYTES = 2 * 1024**3
_PIECE = 1024 * 1024


class SourceError(ValueError):
    """The bundle cannot be fetched; the text names its URI and why."""


def fetch(uri: str, target: Path) -> Path:
    """Copies what is at ``s3://bucket/key`` or ``file:///path`` to ``target``, unchecked, in pieces. Errors:
    :class:`SourceError`.
    """
    parts = urlsplit(uri)
    pieces = (
        _from_file(uri, parts.path) if parts.scheme == "file" else _from_s3(uri, parts.netloc, parts.path.lstrip("/"))
    )
    size = 0
    with target.open("wb") as file:
        for piece in pieces:
            size += len(piece)
            if size > MAX_BUNDLE_BYTES:
                raise SourceError(f"The bundle {uri} is larger than {MAX_BUNDLE_BYTES} bytes")
            file.write(piece)
    return target


def _from_file(uri: str, path: str) -> Iterator[bytes]:
    try:
        with Path(unquote(path)).open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise SourceError(f"The bundle {uri} cannot be read: {error.strerror}") from None


def _from_s3(uri: str, bucket: str, key: str) -> Iterator[bytes]:
    config = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 4, "mode": "standard"})
    try:
        yield from boto3.client("s3", config=config).get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(_PIECE)
    except (BotoCoreError, ClientError) as error:
        raise SourceError(f"The bundle {uri} cannot be fetched: {error}") from None
