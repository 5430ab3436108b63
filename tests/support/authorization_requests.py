"""What the local cloud's authorization asks for a request, in this process.

boto3 makes the request; it is caught before it is sent.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest
from botocore.config import Config

from infra.localcloud.authorization import condition_keys, requests, signatures
from infra.localcloud.authorization.principals import IdentityPolicies, Principal
from infra.localcloud.request import identify
from infra.localcloud.s3 import routing

ACCOUNT, REGION = "123456789012", "us-east-1"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/worker"
CALLER = Principal("session", f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/run", ACCOUNT, ROLE_ARN)


class CaughtError(Exception):
    """Carries a request that was not sent."""


@cache
def client(service: str) -> Any:
    made: Any = boto3.client
    found = made(
        service,
        endpoint_url="http://127.0.0.1:4566",
        region_name=REGION,
        aws_access_key_id="AKIATEST",
        aws_secret_access_key="secret",
        config=Config(s3={"addressing_style": "path"}),
    )

    def catch(request: Any, **_: Any) -> None:
        raise CaughtError(request)

    found.meta.events.register("before-send.*", catch)
    return found


def environ(service: str, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The WSGI environment of a request that boto3 makes."""
    with pytest.raises(CaughtError) as caught:
        getattr(client(service), operation)(**arguments)
    request = caught.value.args[0]
    parts = urlsplit(request.url)
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
    values: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote(parts.path),
        "QUERY_STRING": parts.query,
        "RAW_URI": parts.path + (f"?{parts.query}" if parts.query else ""),
        "HTTP_HOST": parts.netloc,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "4566",
        "wsgi.url_scheme": "http",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        text = value.decode() if isinstance(value, bytes) else str(value)
        values[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = text
    return values


def asked(api: str, operation: str, /, **arguments: Any) -> list[requests.Ask]:
    values = environ(api, operation, arguments)
    signature = signatures.parse(values)
    policies = IdentityPolicies(tags={"Team": "ml"})
    return requests.asks(
        identify(values, routing.operation), values, condition_keys.Caller(CALLER, policies, signature, REGION, ACCOUNT)
    )


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
