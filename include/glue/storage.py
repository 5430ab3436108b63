"""Small documents at s3:// and file:// URIs. Data go through Spark; this is for lists and reports.

boto3 reads AWS_ENDPOINT_URL itself, so the same code talks to AWS and to a local endpoint.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

CONTENT_TYPES = {
    ".html": "text/html",
    ".json": "application/json",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


def under(prefix: str, *parts: str) -> str:
    """A URI below a prefix, whether or not the prefix ends with a slash."""
    return "/".join([prefix.rstrip("/"), *parts])


def object_uri(neighbour: str, bucket: str, key: str) -> str:
    """The URI of an object in ``bucket``, by the scheme of a URI that is known (for file:// a bucket is a folder's path)."""
    return f"{_scheme(neighbour)}://{bucket.rstrip('/')}/{key}"


def read_bytes(uri: str) -> bytes:
    """The whole object. Raises FileNotFoundError or botocore's ClientError."""
    if _scheme(uri) == "file":
        return _path(uri).read_bytes()
    bucket, key = _bucket_and_key(uri)
    return _s3().get_object(Bucket=bucket, Key=key)["Body"].read()


def read_json(uri: str) -> Any:
    """The JSON value of an object. Raises ValueError that names the object when it is not JSON."""
    try:
        return json.loads(read_bytes(uri))
    except ValueError as error:
        raise ValueError(f"{uri} is not JSON: {error}") from error


def write_bytes(uri: str, content: bytes) -> None:
    """Creates or replaces an object."""
    if _scheme(uri) == "file":
        path = _path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return
    bucket, key = _bucket_and_key(uri)
    kind = CONTENT_TYPES.get(Path(key).suffix, "application/octet-stream")
    _s3().put_object(Bucket=bucket, Key=key, Body=content, ContentType=kind)


def write_json(uri: str, value: Any) -> None:
    """A JSON document, indented for people."""
    write_bytes(uri, json.dumps(value, indent=2, sort_keys=True, allow_nan=False).encode())


def list_uris(prefix: str, suffix: str) -> Iterator[str]:
    """The URIs below a prefix (a folder) that end with ``suffix``, in order."""
    if _scheme(prefix) == "file":
        yield from (f"file://{path}" for path in sorted(_path(prefix).rglob(f"*{suffix}")))
        return
    bucket, key = _bucket_and_key(under(prefix, ""))
    for page in _s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
        yield from (
            f"{_scheme(prefix)}://{bucket}/{item['Key']}"
            for item in page.get("Contents", ())
            if item["Key"].endswith(suffix)
        )


@cache
def _s3() -> Any:
    return boto3.client("s3")


def _scheme(uri: str) -> str:
    scheme = urlsplit(uri).scheme
    if scheme not in ("s3", "file"):
        raise ValueError(f"{uri!r} must be an s3:// or a file:// URI")
    return scheme


def _path(uri: str) -> Path:
    return Path(urlsplit(uri).path)


def _bucket_and_key(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.netloc, parts.path.removeprefix("/")
