"""From the bytes of a request to clean records, or a 4xx answer that names the field."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.types import Message, Receive

from include.model.request import Checked, FieldProblem, RequestSchema, shown
from serving.deadlines import Deadlines
from serving.errors import HttpError, Problem, invalid

# Digits of a content-length. A longer one is too large, or is made to look small.
LONGEST_LENGTH = 20


async def read_body(
    headers: list[tuple[bytes, bytes]], receive: Receive, max_bytes: int, deadlines: Deadlines
) -> bytes:
    """Reads the whole body.

    Raises:
        HttpError: 415: the headers do not say JSON. 413: the body is too large, found before or while it is read. 408:
            it takes longer than ``deadlines`` allow. 400: the connection closed before its end.
    """
    _check_headers(headers, max_bytes)
    task = deadlines.begin()
    try:
        message = await receive()
        body: bytes = message.get("body", b"")
        if message["type"] != "http.request" or message.get("more_body", False):
            body = await _receive_rest(message, receive, max_bytes)
    except asyncio.CancelledError:
        if deadlines.has_expired(task):
            raise HttpError(408, f"the body did not arrive within {deadlines.seconds:g} seconds") from None
        raise
    finally:
        deadlines.end(task)
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    return body


def _check_headers(headers: list[tuple[bytes, bytes]], max_bytes: int) -> None:
    media_type = encoding = declared = b""
    for name, value in headers:
        if name == b"content-type":
            media_type = value
        elif name == b"content-encoding":
            encoding = value
        elif name == b"content-length":
            declared = value
    if media_type != b"application/json" and media_type.split(b";")[0].strip().lower() != b"application/json":
        raise HttpError(415, "send the body with content-type: application/json")
    if encoding and encoding.lower() != b"identity":
        raise HttpError(415, "send the body without content-encoding")
    if len(declared) > LONGEST_LENGTH or (declared.isdigit() and int(declared) > max_bytes):
        raise _too_large(max_bytes)


async def _receive_rest(message: Message, receive: Receive, max_bytes: int) -> bytes:
    body = bytearray(message.get("body", b""))
    while message["type"] == "http.request" and message.get("more_body", False):
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
        message = await receive()
        body += message.get("body", b"")
    if message["type"] != "http.request":
        raise HttpError(400, "the connection closed before the body was complete")
    return bytes(body)


def parse(body: bytes) -> Any:
    """Parses JSON in UTF-8 in which no object has a name twice.

    NaN and Infinity are accepted as the floats they name, so that the schema's check can reject them by field.

    Raises:
        HttpError: 400, or 422 for a name that is given twice.
    """
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_unique)
    except UnicodeDecodeError:
        raise HttpError(400, "the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        position = f"line {error.lineno} column {error.colno}"
        raise HttpError(400, f"the body is not JSON: {error.msg} at {position}") from None
    except RecursionError:
        raise HttpError(400, "the body is nested too deeply") from None
    except ValueError:
        raise HttpError(400, "the body contains a number with too many digits") from None


def one(value: Any, schema: RequestSchema) -> Checked:
    """Checks the record of /predict.

    Raises:
        HttpError: 422.
    """
    checked = schema.check(value)
    if checked.errors:
        raise invalid([(None, problem) for problem in checked.errors])
    return checked


def many(value: Any, schema: RequestSchema, max_records: int) -> list[Checked]:
    """Checks the records of /predict/batch, ``{"records": […]}``.

    Raises:
        HttpError: 422.
    """
    if not isinstance(value, dict) or set(value) != {"records"} or not isinstance(value["records"], list):
        raise invalid([(None, FieldProblem("records", 'the body must be {"records": [...]} and nothing else'))])
    records = value["records"]
    if not 1 <= len(records) <= max_records:
        message = f"must contain 1 to {max_records} records, not {len(records)}"
        raise invalid([(None, FieldProblem("records", message))])
    checked = [schema.check(record) for record in records]
    problems: list[Problem] = [(index, problem) for index, result in enumerate(checked) for problem in result.errors]
    if problems:
        raise invalid(problems)
    return checked


def _too_large(max_bytes: int) -> HttpError:
    return HttpError(413, f"the body is larger than {max_bytes} bytes")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise invalid([(None, FieldProblem(shown(name), "is given twice"))])
        result[name] = value
    return result
