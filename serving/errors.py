"""The error answers of the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from include.errors import NightjarError
from include.model.request import FieldProblem

MAX_PROBLEMS = 20

# A problem and the index of its record in the batch; None outside a batch.
Problem = tuple[int | None, FieldProblem]


class HttpError(NightjarError):
    """A 4xx or 5xx answer in the service's own form.

    Args:
        status: HTTP status.
        message: The answer's ``error``.
        problems: The fields at fault.
        headers: Headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        problems: Sequence[Problem] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.problems = problems
        # If the body was not read to its end, the connection cannot be used for another request.
        self.headers = {"connection": "close"} if status in (408, 413, 415) else headers or {}

    def body(self) -> dict[str, Any]:
        """Returns the answer's JSON: ``{"error", "fields": [{"field", "message", "index"?}]}``. Long lists are cut."""
        fields = []
        for index, problem in self.problems[:MAX_PROBLEMS]:
            entry: dict[str, Any] = {"field": problem.field, "message": problem.message}
            fields.append(entry if index is None else {"index": index, **entry})
        return {"error": str(self), "fields": fields}


def invalid(problems: Sequence[Problem]) -> HttpError:
    """Returns the 422 that names the fields. Its message is the first problem."""
    index, first = problems[0]
    where = "" if index is None else f"record {index}: "
    what = f"{first.field}: {first.message}" if first.field else first.message
    return HttpError(422, where + what, problems)
