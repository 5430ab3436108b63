"""The request record: the strict check of one record against the schema that a bundle carries.

Types and text normalisation are those of the lake (``include.workloads.fields``), so that a request is cleaned exactly as the
training rows were. Two things differ: a value outside ``min``, ``max`` or ``enum`` is refused by the lake, but here accepted
with a warning, because production drifts and an answer with a warning beats none; and an unknown field, which the lake leaves
out, is an error, because it is most often a misspelt one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from include.workloads import FieldSpec


class FieldProblem(NamedTuple):
    """What is wrong with one field; ``message`` reads after the field's name."""

    field: str
    message: str


class Checked(NamedTuple):
    """``record`` has every field, clean; it is fit for scoring only when ``errors`` is empty."""

    record: dict[str, Any]
    errors: list[FieldProblem]
    warnings: list[FieldProblem]


class RequestSchema:
    """The fields of a request record."""

    def __init__(self, fields: Mapping[str, FieldSpec]) -> None:
        self.fields = dict(fields)
        unbounded = {"min": None, "max": None, "enum": None}
        self._types = {name: spec.model_copy(update=unbounded) for name, spec in fields.items()}

    def check(self, record: Any) -> Checked:
        """Checks one decoded JSON value."""
        if not isinstance(record, dict):
            return Checked({}, [FieldProblem("", f"must be an object with the fields {', '.join(self.fields)}")], [])
        errors = [
            FieldProblem(shown(name), "is not a field of this model") for name in record if name not in self.fields
        ]
        warnings: list[FieldProblem] = []
        clean: dict[str, Any] = {}
        for name, spec in self.fields.items():
            value = record.get(name)
            clean[name], problem = self._types[name].check(value)
            if problem:
                errors.append(FieldProblem(name, "must not be null" if value is None and name in record else problem))
            elif problem := spec.check(value)[1]:
                warnings.append(FieldProblem(name, problem))
        return Checked(clean, errors, warnings)


def shown(name: str) -> str:
    """A name that came from outside, short and in ASCII, fit for a log line and an answer."""
    text = name.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= 60 else text[:57] + "..."
