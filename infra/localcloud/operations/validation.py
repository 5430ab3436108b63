"""Checks the members of a request against botocore's model, in AWS's words: required members, types and constraints."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, cast
from wsgiref.types import WSGIEnvironment

import regex
from moto.core.model import OperationModel, Shape, StructureShape
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router

# The code of a service whose validation errors have one of their own.
_CODES = {
    "athena": "InvalidRequestException",
    "ecs": "InvalidParameterException",
    "logs": "InvalidParameterException",
    "s3": "InvalidRequest",
    "sqs": "MissingParameter",
}
_CODE_OF_PROTOCOL = {"query": "ValidationError", "ec2": "MissingParameter"}
_SHOWN_VALUE = 200
_NUMBERS = (int, float)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "structure": (Mapping,),
    "map": (Mapping,),
    "list": (list,),
    "string": (str,),
    "character": (str,),
    "blob": (bytes, str),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": _NUMBERS,
    "double": _NUMBERS,
    "timestamp": (datetime, str, *_NUMBERS),
}


class InvalidRequestError(Exception):
    """The request does not fit AWS's model of the operation.

    Attributes:
        code: The error's code.
        message: Its text.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def read_members(environ: WSGIEnvironment, body: bytes, operation: OperationModel) -> dict[str, Any]:
    """Reads and checks a request's members.

    Raises:
        InvalidRequestError: The body is not of the operation's form, a required member is missing, or a value breaks
            a constraint of AWS's model.
    """
    request = Request(environ)
    try:
        protocol = determine_request_protocol(operation.service_model, request.content_type)
    except NotImplementedError as error:
        raise InvalidRequestError("SerializationException", str(error)) from error
    members = _parse(request, body, operation, protocol)
    _validate(members, operation, protocol)
    return members


def _parse(request: Request, body: bytes, operation: OperationModel, protocol: str) -> dict[str, Any]:
    service = operation.service_model
    if protocol == "json" and body and not _is_json_object(body):
        raise InvalidRequestError("SerializationException", "The body is not a JSON object")
    form: Callable[..., Any] = PROTOCOL_PARSERS[protocol]
    url_members: Mapping[str, Any] = {}
    if protocol.startswith("rest"):
        _, url_members = get_service_router(str(service.service_name)).match(request)
    try:
        parsed = form(operation).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": body,
                "url_path": request.path,
                "url_params": url_members,
            }
        )
    except (RequestParserError, ValueError, TypeError, AttributeError, KeyError) as error:
        code = "MalformedXML" if protocol == "rest-xml" else "SerializationException"
        raise InvalidRequestError(code, f"The request cannot be read: {error}") from error
    return cast(dict[str, Any], parsed)


def _is_json_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


def _validate(parsed: Mapping[str, Any], operation: OperationModel, protocol: str) -> None:
    shape = operation.input_shape
    if shape is None:
        return
    failures = list(_check_structure(parsed, cast(StructureShape, shape), "", protocol))
    if not failures:
        return
    service = str(operation.service_model.service_name)
    code = _CODES.get(service) or _CODE_OF_PROTOCOL.get(protocol, "ValidationException")
    if code == "MissingParameter":
        raise InvalidRequestError(code, f"The request must contain the parameter {failures[0].member}.")
    if service == "s3":
        raise InvalidRequestError(code, f"Missing required header for this request: {failures[0].member}")
    some = f"{len(failures)} validation error{'s' if len(failures) > 1 else ''} detected: "
    raise InvalidRequestError(code, some + "; ".join(failure.text() for failure in failures))


class _Failure:
    def __init__(self, member: str, value: Any, constraint: str, *, secret: bool = False) -> None:
        self.member, self._value, self._constraint, self._secret = member, value, constraint, secret

    def text(self) -> str:
        shown = "null" if self._value is None else f"'{'***' if self._secret else str(self._value)[:_SHOWN_VALUE]}'"
        path = ".".join(part[:1].lower() + part[1:] for part in self.member.split("."))
        return f"Value {shown} at '{path}' failed to satisfy constraint: {self._constraint}"


def _check_structure(value: Mapping[str, Any], shape: StructureShape, path: str, protocol: str) -> Iterator[_Failure]:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if value.get(name) is None and not _may_be_empty(name, shape, protocol):
            yield _Failure(prefix + name, None, "Member must not be null")
    for name, member in value.items():
        if name in shape.members and member is not None:
            yield from _check(member, shape.members[name], prefix + name, protocol)


def _may_be_empty(name: str, shape: StructureShape, protocol: str) -> bool:
    """Whether an empty value of the member looks like an absent one: in a form, or as the whole body of a request."""
    kind = shape.members[name].type_name
    if protocol in ("query", "ec2"):
        return kind in ("map", "structure") or (protocol == "ec2" and kind == "list")
    return protocol.startswith("rest") and (name == shape.serialization.get("payload") or kind == "map")


def _check(value: Any, shape: Any, path: str, protocol: str) -> Iterator[_Failure]:
    if getattr(shape, "is_document_type", False):
        return
    if not isinstance(cast(object, value), _TYPES.get(shape.type_name, (object,))):
        raise InvalidRequestError(
            "SerializationException", f"The value of {path} cannot be converted to {shape.type_name}"
        )
    if shape.type_name == "structure":
        yield from _check_structure(value, shape, path, protocol)
        return
    yield from (_Failure(path, value, text, secret=_is_secret(shape)) for text in _broken(value, shape, protocol))
    if shape.type_name == "list":
        for number, item in enumerate(value, 1):
            yield from _check_item(item, shape.member, f"{path}.{number}.member", protocol)
    elif shape.type_name == "map":
        for name, item in value.items():
            yield from _check(name, shape.key, f"{path}.key", protocol)
            yield from _check_item(item, shape.value, f"{path}.{name}.member", protocol)


def _check_item(item: Any, shape: Any, path: str, protocol: str) -> Iterator[_Failure]:
    if item is not None:
        yield from _check(item, shape, path, protocol)


def _broken(value: Any, shape: Shape, protocol: str) -> Iterator[str]:
    """The constraints that a value breaks. The models of EC2 and of REST-XML services list no binding ones."""
    if protocol in ("ec2", "rest-xml") or shape.type_name in ("boolean", "timestamp"):
        return
    bounds = shape.metadata
    number = isinstance(value, _NUMBERS)
    size, what = (value, "value") if number else (len(value), "length")
    if "min" in bounds and size < bounds["min"]:
        yield f"Member must have {what} greater than or equal to {bounds['min']}"
    if "max" in bounds and size > bounds["max"]:
        yield f"Member must have {what} less than or equal to {bounds['max']}"
    if not isinstance(value, str):
        return
    names = cast(Any, shape).enum if shape.type_name == "string" else ()
    if names and value not in names:
        yield f"Member must satisfy enum value set: [{', '.join(names)}]"
    pattern = _pattern(bounds["pattern"]) if "pattern" in bounds else None
    if pattern is not None and not pattern.fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {bounds['pattern']}"


def _is_secret(shape: Shape) -> bool:
    return bool(shape.metadata.get("sensitive"))


@cache
def _pattern(text: str) -> regex.Pattern[str] | None:
    """AWS's pattern, which is Java's; None for one that Python cannot read."""
    try:
        return regex.compile(re.sub(r"\\p\{(?:Is)?Alphabetic\}", r"\\p{L}", text))
    except regex.error:
        return None
