"""Role, service, action and resource of a request, read without consuming its body."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import parse_qs, unquote
from wsgiref.types import WSGIEnvironment

from botocore.exceptions import UnknownServiceError
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model

from infra.localcloud.wsgi import HEADERS_KEY

# The key of a request's AwsRequest in its WSGI environment.
ENVIRON_KEY = "nightjar.request"
_SENT_KEY = "nightjar.sent-headers"
_CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d+/([^/,]+)/([^/,]+)/")
_PRESIGNED = re.compile(r"(?:^|&)X-Amz-Credential=([^&]+)")
_SCANNED = 4096
# Services whose name in the signature is not the one in IAM policies.
_IAM_NAMES = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag"}
# The botocore services among which the path of a request decides, by the name in IAM policies.
_ROUTED = {
    "airflow": ("mwaa",),
    "apigateway": ("apigateway", "apigatewayv2"),
    "aps": ("amp",),
    "bedrock": ("bedrock", "bedrock-agent", "bedrock-runtime"),
    "elasticfilesystem": ("efs",),
    "es": ("opensearch", "es"),
    "execute-api": ("apigatewaymanagementapi",),
    "iotdata": ("iot-data",),
    "mobiletargeting": ("pinpoint",),
    "sagemaker": ("sagemaker-runtime", "sagemaker-metrics"),
    "ses": ("sesv2",),
}
S3_CONTROL = "/v20180820/"
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
        labels: The members in the path of a REST request.
        control: Whether it is a request of S3 Control, whose actions have the prefix of S3.
    """

    access_key: str | None
    service: str
    action: str
    resource: str
    protocol: str
    labels: Mapping[str, str] = field(default_factory=dict, compare=False, hash=False)
    control: bool = field(default=False, compare=False)

    @property
    def is_s3(self) -> bool:
        """Whether it is a request of S3 itself, which ``s3/`` answers in place of moto."""
        return self.service == "s3" and self.protocol == "rest-xml" and not self.control


# Names the operation of a request to S3, with its bucket and key as the members ``Bucket`` and ``Key``.
S3Operation = Callable[[WSGIEnvironment], tuple[str, Mapping[str, str]]]


@cache
def _protocol(service: str) -> str:
    try:
        return str(get_service_model(service).metadata["protocol"])
    except (UnknownServiceError, KeyError):
        return "rest-json"


def _text(environ: WSGIEnvironment) -> str:
    """The body, or only its two ends if it is long; moto can still read it."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    scanned = body if len(body) <= 2 * _SCANNED else body[:_SCANNED] + body[-_SCANNED:]
    return str(scanned.decode("utf-8", "replace"))


def form_members(environ: WSGIEnvironment) -> dict[str, list[str]]:
    """The members of a query request: of its form, or else of its query string, as moto reads them."""
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if body:
            return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)


def _routed(services: tuple[str, ...], environ: WSGIEnvironment) -> tuple[str, Mapping[str, str]]:
    """The operation of a REST request and the members in its path; without one, the method and the path."""
    for service in services:
        with suppress(Exception):  # moto's router raises many kinds; moto then answers, only the name is unknown
            operation, labels = get_service_router(service).match(Request({**environ, "wsgi.input": io.BytesIO()}))
            return str(operation.name), labels
    return f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}", {}


def identify(environ: WSGIEnvironment, s3_operation: S3Operation) -> AwsRequest:
    """Identifies a request from its headers, its path and the two ends of a JSON or form body.

    The body stays readable. ``s3_operation`` reads a request of S3 as it will be executed.
    """
    signed = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", "") or parse_credential(environ))
    access_key, service = (signed[1], signed[3].lower()) if signed else (None, "s3")
    service = _IAM_NAMES.get(service, service)
    if target := environ.get("HTTP_X_AMZ_TARGET", ""):
        members = dict(reversed(_MEMBER.findall(_text(environ))))
        resource = next((members[name] for name in _NAMES if name in members), "")
        return AwsRequest(access_key, service, target.rsplit(".", 1)[-1], resource, "json")
    form = form_members(environ) if signed is None or service != "s3" else {}
    if "Action" in form:
        resource = next((form[name][0] for name in _NAMES if name in form), "")
        return AwsRequest(access_key, service, form["Action"][0], resource, "ec2" if service == "ec2" else "query")
    path = environ.get("PATH_INFO", "")
    control = service == "s3" and path.startswith(S3_CONTROL)
    if service == "s3" and not control:
        action, labels = s3_operation(environ)
        return AwsRequest(access_key, service, action, path.lstrip("/"), _protocol(service), labels)
    action, labels = _routed(("s3control",) if control else _ROUTED.get(service, (service,)), environ)
    return AwsRequest(access_key, service, action, path.lstrip("/"), _protocol(service), labels, control)


def parse_credential(environ: WSGIEnvironment) -> str:
    """Reads the credential of a presigned URL, in the form that it has in an Authorization header."""
    found = _PRESIGNED.search(environ.get("QUERY_STRING", ""))
    return f"Credential={unquote(found[1])}" if found else ""


def sent_headers(environ: WSGIEnvironment) -> dict[str, str]:
    """The headers by their lower-case names, as they were sent if the server has kept them: WSGI loses underscores."""
    if _SENT_KEY in environ:
        kept: dict[str, str] = environ[_SENT_KEY]
        return kept
    if HEADERS_KEY in environ:
        headers: dict[str, str] = {}
        for name, value in environ[HEADERS_KEY]:
            lower = name.lower()
            headers[lower] = f"{headers[lower]},{value}" if lower in headers else value.strip()
        environ[_SENT_KEY] = headers
        return headers
    headers = {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.lower().replace("_", "-")] = environ[name]
    return headers
