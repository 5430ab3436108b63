"""Decides whether a request is passed on to moto: by the table of operations, and by AWS's model of the request."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from wsgiref.types import WSGIEnvironment

from moto.core.model import OperationModel

from infra.localcloud.operations.routing import route
from infra.localcloud.operations.table import Service, service_table
from infra.localcloud.operations.validation import InvalidRequestError, read_members
from infra.localcloud.request import AwsRequest

NOT_IMPLEMENTED = "NotImplementedException"
UNKNOWN_SERVICE = "UnknownServiceException"
UNKNOWN_OPERATION = "UnknownOperationException"
# The query protocol's own code.
UNKNOWN_ACTION = "InvalidAction"


@dataclass(frozen=True)
class Refusal:
    """Why a request is not passed on.

    Attributes:
        code: The error's code.
        message: Its text.
    """

    code: str
    message: str


def refused(service: str, operation: str, reason: str) -> Refusal:
    """The refusal of an operation that the local cloud does not execute."""
    return Refusal(
        NOT_IMPLEMENTED, f"The local cloud cannot do {service}:{operation} and did nothing. Reason: {reason}"
    )


def check(environ: WSGIEnvironment, request: AwsRequest) -> Refusal | None:
    """Decides about a request, and reads its members at most once. Its body stays readable.

    S3 reads its own requests and refuses by the same table (``s3/responses.py``): a body may be too long to hold.

    Returns:
        Why the request is refused, or None.
    """
    if request.is_s3:
        return None
    service, operation = route(environ, request.service, request.action)
    if service is None:
        text = f"The local cloud has no service {request.service}. It did not do {request.service}:{request.action}."
        return Refusal(UNKNOWN_SERVICE, text)
    if service.refused is not None:
        return refused(service.name, operation.name if operation else request.action, service.refused)
    if operation is None:
        if request.protocol in ("query", "ec2"):
            text = f"The action {request.action} is not valid for this web service ({service.name})."
            return Refusal(UNKNOWN_ACTION, text)
        asked = environ.get("HTTP_X_AMZ_TARGET") or request.action
        return Refusal(UNKNOWN_OPERATION, f"The service {service.name} has no operation {asked}.")
    return _check_operation(environ, request, service, operation)


def _check_operation(
    environ: WSGIEnvironment, request: AwsRequest, service: Service, operation: OperationModel
) -> Refusal | None:
    table = service_table(service.name)
    line = table.operations.get(operation.name)
    if line is None:
        return refused(service.name, operation.name, "neither moto nor the local cloud implements it.")
    if line.kind == "refused":
        return refused(service.name, operation.name, line.text)
    try:
        members = _members(environ, operation)
    except InvalidRequestError as error:
        return Refusal(error.code, error.message)
    for member in table.refused_members.get(operation.name, ()):
        if member.is_given(members):
            text = f"its member {'.'.join(member.path)} is not supported: {member.reason}"
            return refused(service.name, operation.name, text)
    return None


def _members(environ: WSGIEnvironment, operation: OperationModel) -> Mapping[str, Any]:
    body = environ["wsgi.input"].read()
    environ["wsgi.input"] = io.BytesIO(body)
    try:
        return read_members(environ, body, operation)
    finally:
        environ["wsgi.input"] = io.BytesIO(body)
