"""A request to S3: bucket, key, query and headers of a WSGI environment, and the answer to it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from typing import IO
from urllib.parse import parse_qsl, unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from infra.localcloud.request import sent_headers
from infra.localcloud.s3.errors import S3Error

MAX_KEY = 1024
XML = {"content-type": "application/xml"}
# A body that is parsed as a document; S3's largest is a list of 10,000 parts.
MAX_DOCUMENT = 5 * 1024 * 1024
_HOSTED = re.compile(
    r"^(?!s3\.)(?P<bucket>.+?)\.(?:(?:s3\.)?localhost|s3[.-][a-z0-9.-]*amazonaws\.com|s3\.amazonaws\.com)(?::\d+)?$"
)


# The key of a request's Target in its WSGI environment.
_TARGET_KEY = "nightjar.s3-target"


@dataclass(frozen=True)
class Target:
    """What a request is about. Authorization and execution read it here, so that what is checked is what is done.

    Attributes:
        bucket: The bucket's name; empty for the service itself.
        key: The key; empty for the bucket itself.
        query: The query's parameters; a parameter without a value has "".
        headers: The headers, with names in lower case. Parameters ``x-amz-*`` of a presigned URL are among them.
    """

    bucket: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]

    @property
    def level(self) -> str:
        """What the path names: service, bucket or key."""
        return "key" if self.key else "bucket" if self.bucket else "service"


@dataclass
class S3Request:
    """One request.

    Attributes:
        method: The HTTP method.
        bucket: The bucket's name; empty for the service itself.
        key: The key; empty for the bucket itself.
        query: The query's parameters; a parameter without a value has "".
        headers: The headers, with names in lower case. Parameters ``x-amz-*`` of a presigned URL are among them.
        stream: The body, still encoded as it was sent.
        account: The caller's account.
        region: The region to which the request was sent.
    """

    method: str
    bucket: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    stream: IO[bytes]
    account: str
    region: str
    id: str = field(default_factory=lambda: secrets.token_hex(8).upper())

    @property
    def level(self) -> str:
        """What the path names: service, bucket or key."""
        return "key" if self.key else "bucket" if self.bucket else "service"

    def integer(self, name: str, default: int, lowest: int = 0) -> int:
        """A parameter of the query as a number.

        Raises:
            S3Error: It is not a number, or is too low.
        """
        text = self.query.get(name, "")
        try:
            value = int(text) if text else default
        except ValueError:
            raise S3Error(
                "InvalidArgument",
                f"Provided {name} not an integer or within integer range",
                ArgumentName=name,
                ArgumentValue=text,
            ) from None
        if not lowest <= value < 1 << 31:
            raise S3Error(
                "InvalidArgument",
                f"Argument {name} must be an integer between {lowest} and 2147483647",
                ArgumentName=name,
                ArgumentValue=text,
            )
        return value


@dataclass
class Answer:
    """What S3 answers.

    Attributes:
        status: The HTTP status.
        headers: The headers; Content-Length is added.
        body: The body, or a file's part as an iterable with a length.
        length: The length of the body if it is not bytes.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    length: int | None = None


def read(environ: WSGIEnvironment, account: str, region: str) -> S3Request:
    """Reads the request line and the headers; the body stays unread."""
    asked = target(environ)
    return S3Request(
        environ["REQUEST_METHOD"],
        asked.bucket,
        asked.key,
        asked.query,
        asked.headers,
        environ["wsgi.input"],
        account,
        region,
    )


def target(environ: WSGIEnvironment) -> Target:
    """Reads bucket, key, query and headers, once for each request.

    Raises:
        S3Error: The key is not valid UTF-8.
    """
    if _TARGET_KEY not in environ:
        environ[_TARGET_KEY] = _target(environ)
    found: Target = environ[_TARGET_KEY]
    return found


def _target(environ: WSGIEnvironment) -> Target:
    path = _path(environ)
    headers = dict(sent_headers(environ))
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True, errors="surrogateescape"))
    for name, value in query.items():
        if name.startswith("x-amz-") or name in ("content-type", "content-md5"):
            headers.setdefault(name, value)
    hosted = _HOSTED.match(headers.get("host", ""))
    if hosted:
        return Target(hosted["bucket"], _key(path[1:]), query, headers)
    bucket, _, key = path[1:].partition(b"/")
    return Target(bucket.decode("utf-8", "replace"), _key(key), query, headers)


def _path(environ: WSGIEnvironment) -> bytes:
    """The path's bytes, from the request line where the server has kept it: WSGI's own path merges slashes."""
    if raw := environ.get("REQUEST_URI"):
        return unquote_to_bytes(raw.partition("?")[0])
    return str(environ.get("PATH_INFO", "/")).encode("latin-1", "replace")


def _key(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise S3Error("InvalidArgument", "The key is not valid UTF-8") from None


def http_date(milliseconds: int) -> str:
    """A time as it stands in headers."""
    return formatdate(milliseconds // 1000, usegmt=True)


def iso_time(milliseconds: int) -> str:
    """A time as it stands in S3's XML."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def parse_http_date(text: str) -> int | None:
    """Reads a time from a header, in seconds; None if it is not one, which S3 ignores."""
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (TypeError, ValueError):
        return None
