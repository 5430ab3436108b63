"""Buckets of a running local cloud for tests of S3, and requests without an SDK in between."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import re
from typing import Any
from urllib.parse import urlparse

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.support.localcloud import Cloud

_NUMBERS = itertools.count(1)


class _AsGiven(S3SigV4Auth):
    """Signs the hash of the body that the headers give, right or wrong."""

    given = ""

    def payload(self, request: AWSRequest) -> str:
        """The value of the header x-amz-content-sha256."""
        return self.given


def new_bucket(s3: Any, **options: Any) -> str:
    """Makes a bucket of its own for a test; returns its name."""
    name = f"s3-test-{next(_NUMBERS)}"
    s3.create_bucket(Bucket=name, **options)
    return name


def error_code(call: Any, *args: Any, **kwargs: Any) -> str:
    """The error code of a call that has to fail."""
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    return str(caught.value.response["Error"]["Code"])


def _with_signatures(body: bytes, signer: S3SigV4Auth, request: AWSRequest) -> bytes:
    """The chunks of a body with their signatures in place of as many other digits."""
    previous = request.headers["Authorization"].rpartition("=")[2]
    prefix = f"AWS4-HMAC-SHA256-PAYLOAD\n{request.context['timestamp']}\n{signer.credential_scope(request)}"
    written, rest, size = b"", body, 1
    while size and b"\r\n" in rest:
        header, _, rest = rest.partition(b"\r\n")
        size = int(header.partition(b";")[0], 16)
        hashes = hashlib.sha256().hexdigest(), hashlib.sha256(rest[:size]).hexdigest()
        previous = str(signer.signature("\n".join((prefix, previous, *hashes)), request))
        written += header[: -len(previous)] + previous.encode() + b"\r\n" + rest[:size]
        rest = rest[size:]
        if size:
            written, rest = written + rest[:2], rest[2:]
    return written + rest


def send(
    cloud: Cloud, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, str, bytes]:
    """Sends a request as it is given, signed by the operator; returns its status, error code (or "") and body.

    Signatures of chunks are put in where the headers announce them.
    """
    request = AWSRequest(method, cloud.endpoint + path, headers=headers or {})
    keys = cloud.operator
    credentials = Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
    signer = _AsGiven(credentials, "s3", "us-east-1")
    signer.given = (headers or {}).get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    signer.add_auth(request)
    if signer.given.startswith("STREAMING-AWS4-HMAC"):
        body = _with_signatures(body, signer, request)
    connection = http.client.HTTPConnection(urlparse(cloud.endpoint).netloc, timeout=60)
    connection.request(method, path, body=body, headers=dict(request.headers.items()))
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    code = re.search(rb"<Code>(.*?)</Code>", text)
    return answer.status, code[1].decode() if code else "", text
