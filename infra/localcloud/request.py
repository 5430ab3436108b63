"""Who is asking whom for what: read from a request without consuming it."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import botocore.session
from botocore.exceptions import UnknownServiceError
from moto.core.request import Request
from moto.core.routing import get_service_router

_CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d+/([^/,]+)/([^/,]+)/")
_SCANNED = 4096
# Where the name in the signature is not the one of IAM policies.
_IAM_NAMES = {"monitoring": "cloudwatch", "email": "ses"}
# Best effort, first match wins: the member of a request that names what it is about.
_NAMES = (
    "StreamName|StreamARN|DeliveryStreamName|TableName|JobName|TrainingJobName|ProcessingJobName|ModelPackageName"
    "|ModelPackageGroupName|QueryExecutionId|WorkGroup|SecretId|service|serviceName|family|taskDefinition|cluster|TopicArn|logGroupName|KeyId|RoleArn|RoleName|AlarmName"
    "|LoadBalancerArn|TargetGroupArn|DatabaseName|Namespace|Name"
)
_MEMBER = re.compile(rf'"({_NAMES})"\s*:\s*"([^"]*)"')


@dataclass(frozen=True)
class Asked:
    """One request as AWS would name it. ``protocol`` is json, query, ec2, rest-json or rest-xml."""

    access_key: str | None
    service: str
    action: str
    resource: str
    protocol: str


@cache
def _protocol(service: str) -> str:
    try:
        return str(botocore.session.get_session().get_service_model(service).metadata["protocol"])
    except (UnknownServiceError, KeyError):
        return "rest-json"


def _text(environ: dict[str, Any]) -> str:
    """The body, put back for moto to read; only its ends if it is long."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    scanned = body if len(body) <= 2 * _SCANNED else body[:_SCANNED] + body[-_SCANNED:]
    return scanned.decode("utf-8", "replace")


def _routed(service: str, environ: dict[str, Any]) -> str:
    try:
        operation, _ = get_service_router(service).match(Request({**environ, "wsgi.input": io.BytesIO()}))
        return str(operation.name)
    except (
        Exception
    ):  # whatever the router cannot read, moto cannot either: it will be answered, only its name is unknown
        return f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"


def identify(environ: dict[str, Any]) -> Asked:
    """Reads headers, path and the ends of a JSON or form body (which is put back)."""
    signed = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", "") or parse_credential(environ))
    access_key, service = (signed[1], signed[3].lower()) if signed else (None, "s3")
    service = _IAM_NAMES.get(service, service)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    content = environ.get("CONTENT_TYPE", "")
    path = environ.get("PATH_INFO", "")
    if target:
        members = dict(reversed(_MEMBER.findall(_text(environ))))
        named = next((members[name] for name in _NAMES.split("|") if name in members), "")
        return Asked(access_key, service, target.rsplit(".", 1)[-1], named, "json")
    if content.startswith("application/x-www-form-urlencoded"):
        form = parse_qs(_text(environ))
        if "Action" in form:
            resource = next((form[name][0] for name in _NAMES.split("|") if name in form), "")
            return Asked(access_key, service, form["Action"][0], resource, "ec2" if service == "ec2" else "query")
    return Asked(access_key, service, _routed(service, environ), path.lstrip("/"), _protocol(service))


def parse_credential(environ: dict[str, Any]) -> str:
    """The credential of a presigned URL, written as in an Authorization header."""
    values = parse_qs(environ.get("QUERY_STRING", "")).get("X-Amz-Credential", [])
    return f"Credential={values[0]}" if values else ""
