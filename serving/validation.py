"""From the bytes of a request to clean records, or a refusal that names the field. A request never ends in a 500 here."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import ClientDisconnect, Request

from include.training.request import Checked, FieldProblem, RequestSchema, shown

MAX_PROBLEMS = 20


class Refusal(Exception):
    """An answer with a 4xx. ``problems``: (index in the batch or None, field, message)."""

    def __init__(self, status: int, message: str, problems: list[tuple[int | None, FieldProblem]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.problems = problems or []

    def body(self) -> dict[str, Any]:
        """The answer's JSON: ``{"error", "fields": [{"field", "message", "index"?}]}``; long lists are cut."""
        fields = []
        for index, problem in self.problems[:MAX_PROBLEMS]:
            entry: dict[str, Any] = {"field": problem.field, "message": problem.message}
            fields.append(entry if index is None else {"index": index, **entry})
        return {"error": str(self), "fields": fields}


async def read_json(request: Request, max_bytes: int) -> Any:
    """The decoded body. Errors: :class:`Refusal` 415 (not JSON by its header), 413 (too large), 400 (malformed)."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refusal(415, "send the body with content-type: application/json")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "send the body without content-encoding")
    too_large = Refusal(413, f"the body is larger than {max_bytes} bytes")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > max_bytes:
                raise too_large
    except ClientDisconnect:
        raise Refusal(400, "the connection closed before the body was complete") from None
    return parse(bytes(body))


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
        raise _invalid([(None, problem) for problem in checked.errors])
    return checked


def many(value: Any, schema: RequestSchema, most: int) -> list[Checked]:
    """The records of /predict/batch, ``{"records": […]}``. Errors: :class:`Refusal` 422."""
    if not isinstance(value, dict) or set(value) != {"records"} or not isinstance(value["records"], list):
        raise _invalid([(None, FieldProblem("records", 'the body must be {"records": [...]} and nothing else'))])
    records = value["records"]
    if not 1 <= len(records) <= most:
        raise _invalid([(None, FieldProblem("records", f"must hold 1 to {most} records, not {len(records)}"))])
    checked = [schema.check(record) for record in records]
    problems = [(index, problem) for index, result in enumerate(checked) for problem in result.errors]
    if problems:
        raise _invalid(problems)
    return checked


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise _invalid([(None, FieldProblem(shown(name), "is given twice"))])
        result[name] = value
    return result


def _invalid(problems: list[tuple[int | None, FieldProblem]]) -> Refusal:
    index, first = problems[0]
    where = "" if index is None else f"record {index}: "
    return Refusal(422, f"{where}{first.field}: {first.message}" if first.field else f"{where}{first.message}", problems)
