"""Role, service, action and resource of a request, read without consuming its body."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs
from wsgiref.types import WSGIEnvironment

import botocore.session
from botocore.exceptions import UnknownServiceError
from moto.core.request import Request
from moto.core.routing import get_service_router

# The key of a request's AwsRequest in its WSGI environment.
ENVIRON_KEY = "nightjar.request"
_CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d+/([^/,]+)/([^/,]+)/")
_SCANNED = 4096
# Services whose name in the signature is not the one in IAM policies.
_IAM_NAMES = {"monitoring": "cloudwatch", "email": "ses"}
# The members of a request that name its resource; the first that is present wins. This is best effort.
_NAMES = (
    "StreamName",
    "StreamARN",
    "DeliveryStreamName",
    "TableName",
    "JobName",
    "TrainingJobName",
    "ProcessingJobName",
    "ModelPackageName",
    "ModelPackageGroupName",
    "QueryExecutionId",
    "WorkGroup",
    "SecretId",
    "service",
    "serviceName",
    "family",
    "taskDefinition",
    "cluster",
    "TopicArn",
    "logGroupName",
    "KeyId",
    "RoleArn",
    "RoleName",
    "AlarmName",
    "LoadBalancerArn",
    "TargetGroupArn",
    "DatabaseName",
    "Namespace",
    "Name",
)
_MEMBER = re.compile(rf'"({"|".join(_NAMES)})"\s*:\s*"([^"]*)"')


@dataclass(frozen=True)
class AwsRequest:
    """One request in AWS's terms.

    Attributes:
        access_key: None for an unsigned request.
        service: The service's name in IAM policies.
        action: The API action, such as ``PutObject``.
        resource: The name, ARN or path of what the action is about; may be empty.
        protocol: json, query, ec2, rest-json or rest-xml.
    """

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


def _text(environ: WSGIEnvironment) -> str:
    """The body, or only its two ends if it is long; moto can still read it."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    scanned = body if len(body) <= 2 * _SCANNED else body[:_SCANNED] + body[-_SCANNED:]
    return str(scanned.decode("utf-8", "replace"))


def _routed(service: str, environ: WSGIEnvironment) -> str:
    try:
        operation, _ = get_service_router(service).match(Request({**environ, "wsgi.input": io.BytesIO()}))
        return str(operation.name)
    except Exception:  # moto's router raises many kinds; moto then answers the request, only its name is unknown
        return f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"


def identify(environ: WSGIEnvironment) -> AwsRequest:
    """Identifies a request from its headers, its path and the two ends of a JSON or form body.

    The body stays readable.
    """
    signed = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", "") or parse_credential(environ))
    access_key, service = (signed[1], signed[3].lower()) if signed else (None, "s3")
    service = _IAM_NAMES.get(service, service)
    if target := environ.get("HTTP_X_AMZ_TARGET", ""):
        members = dict(reversed(_MEMBER.findall(_text(environ))))
        resource = next((members[name] for name in _NAMES if name in members), "")
        return AwsRequest(access_key, service, target.rsplit(".", 1)[-1], resource, "json")
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form = parse_qs(_text(environ))
        if "Action" in form:
            resource = next((form[name][0] for name in _NAMES if name in form), "")
            return AwsRequest(access_key, service, form["Action"][0], resource, "ec2" if service == "ec2" else "query")
    path = environ.get("PATH_INFO", "").lstrip("/")
    return AwsRequest(access_key, service, _routed(service, environ), path, _protocol(service))


def parse_credential(environ: WSGIEnvironment) -> str:
    """Reads the credential of a presigned URL, in the form that it has in an Authorization header."""
    values = parse_qs(environ.get("QUERY_STRING", "")).get("X-Amz-Credential", [])
    return f"Credential={values[0]}" if values else ""
