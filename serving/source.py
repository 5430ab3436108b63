"""Downloads the bundle from S3, or copies it from a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from include.errors import NightjarError
from include.lake.uris import split_s3_uri
from serving import aws

# A forest of five million nodes is 160 MB compressed, with its fast form and the scikit-learn original.
MAX_BUNDLE_BYTES = 2 * 1024**3
# S3's codes for an object that does not exist.
MISSING = ("NoSuchKey", "NoSuchBucket")
_CHUNK_BYTES = 1024 * 1024


class SourceError(NightjarError, ValueError):
    """The bundle cannot be fetched. The text names its URI and the reason."""


class SourceUnavailableError(SourceError):
    """S3 did not give the bundle for a reason that is not the bundle's: denied, throttled, not reachable."""


def fetch(uri: str, target: Path, max_bytes: int = MAX_BUNDLE_BYTES) -> Path:
    """Copies a bundle, in chunks and without checking its content.

    Args:
        uri: ``s3://bucket/key``, or ``file:///path``, which the settings accept in development only.
        target: File to write.
        max_bytes: Limit of its size.

    Returns:
        ``target``.

    Raises:
        SourceError: The bundle cannot be read, or is too large.
        SourceUnavailableError: S3 refused the call or could not be reached.
    """
    chunks = _read_file(uri) if uri.startswith("file:") else _read_s3(uri)
    size = 0
    with target.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise SourceError(f"The bundle {uri} is larger than {max_bytes} bytes")
            file.write(chunk)
    return target


def _read_file(uri: str) -> Iterator[bytes]:
    try:
        with Path(unquote(urlsplit(uri).path)).open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise SourceError(f"The bundle {uri} cannot be read: {error.strerror}") from None


def _read_s3(uri: str) -> Iterator[bytes]:
    bucket, key = split_s3_uri(uri)
    config = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 4, "mode": "standard"})
    try:
        body = aws.session().client("s3", config=config).get_object(Bucket=bucket, Key=key)["Body"]
        yield from body.iter_chunks(_CHUNK_BYTES)
    except (BotoCoreError, ClientError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        kind = SourceError if code in MISSING else SourceUnavailableError
        raise kind(f"The bundle {uri} cannot be fetched: {error}") from None
