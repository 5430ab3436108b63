"""Reads and writes whole objects at s3:// and file:// URIs.

boto3 reads AWS_ENDPOINT_URL itself, so the same code runs against AWS and against a local endpoint.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

import boto3
from botocore.exceptions import (
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from include.glue.errors import GlueJobError
from include.lake.uris import s3_uri, split_s3_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONTENT_TYPES = {
    ".html": "text/html",
    ".json": "application/json",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
READ_TRIES = 3
_IN_MEMORY = 32 * 1024**2


def join_uri(prefix: str, *parts: str) -> str:
    """Joins a URI and names below it; the prefix may end with a slash."""
    return "/".join([prefix.rstrip("/"), *parts])


def object_uri(sibling: str, bucket: str, key: str) -> str:
    """Returns the URI of an object, with the scheme of another URI. For file:// the bucket is a folder's path."""
    return f"{_scheme(sibling)}://{bucket.rstrip('/')}/{key}"


def read_bytes(uri: str) -> bytes:
    """Reads a whole object.

    Raises:
        FileNotFoundError: There is no such file.
        botocore.exceptions.ClientError: S3 refuses, or there is no such object.
    """
    if _scheme(uri) == "file":
        return _path(uri).read_bytes()
    bucket, key = split_s3_uri(uri)
    for tries_left in reversed(range(READ_TRIES)):
        try:
            return s3_client().get_object(Bucket=bucket, Key=key)["Body"].read()
        except (ReadTimeoutError, ResponseStreamingError, IncompleteReadError):  # botocore repeats the request only
            if not tries_left:
                raise
        except ClientError as error:
            error.add_note(f"The object: {uri}")
            raise
    raise AssertionError("the last try returns or raises")


def open_file(uri: str) -> IO[bytes]:
    """Opens an object for reading from any position: a small one in memory, a large one as a temporary file.

    Raises:
        FileNotFoundError: There is no such file.
        botocore.exceptions.ClientError: S3 refuses, or there is no such object.
    """
    if _scheme(uri) == "file":
        return _path(uri).open("rb")
    bucket, key = split_s3_uri(uri)
    copy = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the caller reads it; it is deleted with the last reference
    shutil.copyfileobj(s3_client().get_object(Bucket=bucket, Key=key)["Body"], copy)
    copy.seek(0)
    return copy


def read_json(uri: str) -> Any:
    """Reads a JSON document.

    Raises:
        GlueJobError: The object is not JSON.
    """
    try:
        return json.loads(read_bytes(uri))
    except ValueError as error:
        raise GlueJobError(
            f"{uri} is not JSON: {error}. Trigger the run again with fresh set: it writes a new one."
        ) from error


def find_json(uri: str) -> Any | None:
    """Reads a JSON document, or returns None if it does not exist.

    Raises:
        GlueJobError: The object is not JSON.
    """
    try:
        return read_json(uri)
    except FileNotFoundError:
        return None
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None


def write_bytes(uri: str, content: bytes) -> None:
    """Writes an object; one that exists is replaced."""
    if _scheme(uri) == "file":
        path = _path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return
    bucket, key = split_s3_uri(uri)
    content_type = CONTENT_TYPES.get(Path(key).suffix, "application/octet-stream")
    s3_client().put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)


def write_json(uri: str, value: Any) -> None:
    """Writes a JSON document, indented for people."""
    write_bytes(uri, json.dumps(value, indent=2, sort_keys=True, allow_nan=False).encode())


def list_uris(prefix: str, suffix: str) -> Iterator[str]:
    """Lists the URIs of all objects below a prefix (a folder) that end with ``suffix``, in order."""
    if _scheme(prefix) == "file":
        yield from (f"file://{path}" for path in sorted(_path(prefix).rglob(f"*{suffix}")))
        return
    bucket, key = split_s3_uri(join_uri(prefix, ""))
    for page in s3_client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
        yield from (s3_uri(bucket, item["Key"]) for item in page.get("Contents", ()) if item["Key"].endswith(suffix))


@cache
def s3_client() -> S3Client:
    """Returns the one client of this process."""
    return boto3.client("s3")


def _scheme(uri: str) -> str:
    scheme = uri.partition("://")[0]
    if scheme not in ("s3", "file"):
        raise GlueJobError(f"{uri!r} must be an s3:// or a file:// URI. Correct the job's arguments.")
    return scheme


def _path(uri: str) -> Path:
    return Path(uri.removeprefix("file://"))
