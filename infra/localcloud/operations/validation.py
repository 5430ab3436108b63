"""Reads and checks a request's members, in AWS's words: required members, types and constraints of AWS's model."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast
from wsgiref.types import WSGIEnvironment

from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router

from infra.localcloud.errors import LocalCloudError
from infra.localcloud.operations.shapes import Failure, WrongTypeError, shape_of

# The code of a service whose validation errors have one of their own.
_CODES = {
    "athena": "InvalidRequestException",
    "ecs": "InvalidParameterException",
    "logs": "InvalidParameterException",
    "sqs": "MissingParameter",
}
_CODE_OF_PROTOCOL = {"query": "ValidationError", "ec2": "MissingParameter"}
_UNREADABLE = "SerializationException"


class InvalidRequestError(LocalCloudError):
    """The request does not fit AWS's model of the operation.

    Attributes:
        code: The error's code.
        message: Its text.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def read_members(environ: WSGIEnvironment, body: bytes, operation: OperationModel) -> Mapping[str, Any]:
    """Reads and checks a request's members.

    Raises:
        InvalidRequestError: The body is not of the operation's form, a required member is missing, or a value breaks
            a constraint of AWS's model.
    """
    service = str(operation.service_model.service_name)
    if environ.get("HTTP_X_AMZ_TARGET"):
        protocol, members = "json", _json(body)
    else:
        protocol, members = _parse(environ, body, operation)
    if operation.input_shape is None:
        return members
    failures: list[Failure] = []
    try:
        shape_of(service, operation.input_shape, protocol).check(members, (), failures)
    except WrongTypeError as error:
        raise InvalidRequestError(_UNREADABLE, str(error)) from error
    if failures:
        raise _invalid(service, protocol, failures)
    return members


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        members = json.loads(body) if body else {}
    except ValueError:
        members = None
    if not isinstance(members, dict):
        raise InvalidRequestError(_UNREADABLE, "The body is not a JSON object")
    return members


def _parse(environ: WSGIEnvironment, body: bytes, operation: OperationModel) -> tuple[str, Mapping[str, Any]]:
    """The protocol and the members of a request that is a form, or that has members in its path and headers."""
    request, service = Request(environ), operation.service_model
    try:
        protocol = determine_request_protocol(service, request.content_type)
        parser: Callable[..., Any] = PROTOCOL_PARSERS[protocol]
        url_members: Mapping[str, Any] = {}
        if protocol.startswith("rest"):
            _, url_members = get_service_router(str(service.service_name)).match(request)
        parsed = parser(operation).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": body,
                "url_path": request.path,
                "url_params": url_members,
            }
        )
    except (NotImplementedError, RequestParserError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise InvalidRequestError(_UNREADABLE, f"The request cannot be read: {error}") from error
    return protocol, cast(Mapping[str, Any], parsed)


def _invalid(service: str, protocol: str, failures: list[Failure]) -> InvalidRequestError:
    code = _CODES.get(service) or _CODE_OF_PROTOCOL.get(protocol, "ValidationException")
    if code == "MissingParameter":
        return InvalidRequestError(code, f"The request must contain the parameter {failures[0].member}.")
    some = f"{len(failures)} validation error{'s' if len(failures) > 1 else ''} detected: "
    return InvalidRequestError(code, some + "; ".join(failure.text() for failure in failures))
