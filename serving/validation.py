"""From the bytes of a request to clean records, or a refusal that names the field. A request never ends in a 500 here."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.types import Receive

from include.model.request import Checked, FieldProblem, RequestSchema, shown
from serving.deadlines import Deadlines

MAX_PROBLEMS = 20


class Refusal(Exception):
    """An answer with a 4xx or 503. ``problems``: (index in the batch or None, field, message); ``headers`` go with the answer."""

    def __init__(
        self,
        status: int,
        message: str,
        problems: list[tuple[int | None, FieldProblem]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.problems = problems or []
        # A body that was not read to its end leaves the connection unfit for another request.
        self.headers = {"connection": "close"} if status in (408, 413, 415) else headers or {}

    def body(self) -> dict[str, Any]:
        """The answer's JSON: ``{"error", "fields": [{"field", "message", "index"?}]}``; long lists are cut."""
        fields = []
        for index, problem in self.problems[:MAX_PROBLEMS]:
            entry: dict[str, Any] = {"field": problem.field, "message": problem.message}
            fields.append(entry if index is None else {"index": index, **entry})
        return {"error": str(self), "fields": fields}


async def read_body(
    headers: list[tuple[bytes, bytes]], receive: Receive, max_bytes: int, deadlines: Deadlines
) -> bytes:
    """The whole body. Errors: :class:`Refusal` 415 (not JSON by its header), 413 (too large, found while it streams), 408 (slower
    than ``deadlines`` allow), 400 (broken off).
    """
    media_type = encoding = declared = b""
    for name, value in headers:
        if name == b"content-type":
            media_type = value
        elif name == b"content-encoding":
            encoding = value
        elif name == b"content-length":
            declared = value
    if media_type != b"application/json" and media_type.split(b";")[0].strip().lower() != b"application/json":
        raise Refusal(415, "send the body with content-type: application/json")
    if encoding and encoding.lower() != b"identity":
        raise Refusal(415, "send the body without content-encoding")
    if len(declared) > 20 or (declared.isdigit() and int(declared) > max_bytes):
        raise _too_large(max_bytes)
    task = deadlines.begin()
    try:
        message = await receive()
        body = message.get("body", b"")
        if message.get("more_body", False):
            body = bytearray(body)
        while message["type"] == "http.request" and message.get("more_body", False):
            if len(body) > max_bytes:
                raise _too_large(max_bytes)
            message = await receive()
            body += message.get("body", b"")
    except asyncio.CancelledError:
        if deadlines.is_late(task):
            raise Refusal(408, f"the body did not arrive within {deadlines.seconds:g} seconds") from None
        raise
    finally:
        deadlines.end(task)
    if message["type"] != "http.request":
        raise Refusal(400, "the connection closed before the body was complete")
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    return bytes(body)


def parse(body: bytes) -> Any:
    """JSON in UTF-8, no name twice in one object. Errors: :class:`Refusal` 400, or 422 for a name given twice.

    NaN and Infinity pass here as the floats they name, so that the schema's check can refuse them by their field.
    """
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_object)
    except UnicodeDecodeError:
        raise Refusal(400, "the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Refusal(400, f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise Refusal(400, "the body is nested too deeply") from None
    except ValueError:
        raise Refusal(400, "the body holds a number with too many digits") from None


def one(value: Any, schema: RequestSchema) -> Checked:
    """The record of /predict. Errors: :class:`Refusal` 422."""
    checked = schema.check(value)
    if checked.errors:
        raise invalid([(None, problem) for problem in checked.errors])
    return checked


def many(value: Any, schema: RequestSchema, most: int) -> list[Checked]:
    """The records of /predict/batch, ``{"records": […]}``. Errors: :class:`Refusal` 422."""
    if not isinstance(value, dict) or set(value) != {"records"} or not isinstance(value["records"], list):
        raise invalid([(None, FieldProblem("records", 'the body must be {"records": [...]} and nothing else'))])
    records = value["records"]
    if not 1 <= len(records) <= most:
        raise invalid([(None, FieldProblem("records", f"must hold 1 to {most} records, not {len(records)}"))])
    checked = [schema.check(record) for record in records]
    problems = [(index, problem) for index, result in enumerate(checked) for problem in result.errors]
    if problems:
        raise invalid(problems)
    return checked


def invalid(problems: list[tuple[int | None, FieldProblem]]) -> Refusal:
    """The 422 that names the fields; the first one is its text."""
    index, first = problems[0]
    where = "" if index is None else f"record {index}: "
    return Refusal(
        422, f"{where}{first.field}: {first.message}" if first.field else f"{where}{first.message}", problems
    )


def _too_large(max_bytes: int) -> Refusal:
    return Refusal(413, f"the body is larger than {max_bytes} bytes")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise invalid([(None, FieldProblem(shown(name), "is given twice"))])
        result[name] = value
    return result
