"""Buckets of a running local cloud for tests of S3, and requests without an SDK in between."""

from __future__ import annotations

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


def send(
    cloud: Cloud, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, str, bytes]:
    """Sends a request as it is given, signed by the operator; returns its status, error code (or "") and body."""
    request = AWSRequest(method, cloud.endpoint + path, headers=headers or {})
    keys = cloud.operator
    credentials = Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
    signer = _AsGiven(credentials, "s3", "us-east-1")
    signer.given = (headers or {}).get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    signer.add_auth(request)
    connection = http.client.HTTPConnection(urlparse(cloud.endpoint).netloc, timeout=60)
    connection.request(method, path, body=body, headers=dict(request.headers.items()))
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    code = re.search(rb"<Code>(.*?)</Code>", text)
    return answer.status, code[1].decode() if code else "", text
