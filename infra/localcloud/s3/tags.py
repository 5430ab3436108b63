"""Tags of buckets and objects."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from infra.localcloud.s3.errors import S3Error

_OBJECT_TAGS = 10
_BUCKET_TAGS = 50
_ALLOWED = re.compile(r"[\w\s+\-=._:/@]*")


def from_set(tag_set: Iterable[dict[str, Any]], *, bucket: bool = False) -> dict[str, str]:
    """Checks a TagSet and makes a dict of it.

    Raises:
        S3Error: A tag is not valid, or there are too many.
    """
    pairs = [(tag["Key"], tag.get("Value", "")) for tag in tag_set]
    return _checked(pairs, bucket=bucket)


def from_header(text: str) -> dict[str, str]:
    """Reads the header x-amz-tagging.

    Raises:
        S3Error: A tag is not valid, or there are too many.
    """
    return _checked(parse_qsl(text, keep_blank_values=True), bucket=False)


def _checked(pairs: list[tuple[str, str]], *, bucket: bool) -> dict[str, str]:
    if len(dict(pairs)) != len(pairs):
        raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key")
    if bucket and len(pairs) > _BUCKET_TAGS:
        raise S3Error("BadRequest", f"Bucket tag count cannot be greater than {_BUCKET_TAGS}")
    if not bucket and len(pairs) > _OBJECT_TAGS:
        raise S3Error("BadRequest", f"Object tags cannot be greater than {_OBJECT_TAGS}")
    for key, value in pairs:
        if not 1 <= len(key) <= 128 or not _ALLOWED.fullmatch(key):
            raise S3Error("InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if len(value) > 256 or not _ALLOWED.fullmatch(value):
            raise S3Error("InvalidTag", "The TagValue you have provided is invalid", TagKey=key, TagValue=value)
        if key.lower().startswith("aws:"):
            raise S3Error("InvalidTag", "System tags cannot be added/updated by requester", TagKey=key)
    return dict(pairs)


def to_set(tags: dict[str, str]) -> list[dict[str, str]]:
    """Makes a TagSet of a dict."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
