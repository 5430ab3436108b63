"""The request record: strict validation of one record against the schema that a bundle carries.

Types and text normalisation are those of the lake (``include.workloads.fields``), so a request is cleaned exactly as
the training rows were. Two rules differ. A value outside ``min``, ``max`` or ``enum`` is quarantined in the lake; here
it is accepted with a warning, because production data drift and an answer with a warning is better than none. An
unknown field is dropped in the lake; here it is an error, because it is most often misspelt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from include.workloads import FieldSpec
from include.workloads.request_rules import RequestRule


class FieldProblem(NamedTuple):
    """One invalid or suspicious field. The message reads as a sentence after the field's name."""

    field: str
    message: str


class Checked(NamedTuple):
    """Result of validating one record.

    Attributes:
        record: Every field of the schema, cleaned. It can be scored only when ``errors`` is empty.
        errors: Reasons to reject the record.
        warnings: Values outside ``min``, ``max`` or ``enum``.
    """

    record: dict[str, Any]
    errors: list[FieldProblem]
    warnings: list[FieldProblem]


class RequestSchema:
    """The fields of a request record, by name, and the rules for those that belong together."""

    def __init__(self, fields: Mapping[str, FieldSpec], rules: Sequence[RequestRule] = ()) -> None:
        self.fields = dict(fields)
        self.rules = tuple(rules)
        unbounded = {"min": None, "max": None, "enum": None}
        self._types = {name: spec.model_copy(update=unbounded) for name, spec in fields.items()}

    def check(self, record: Any) -> Checked:
        """Validates one decoded JSON value."""
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
        if not errors:
            errors = [FieldProblem(*problem) for rule in self.rules for problem in rule.problems(clean)]
        return Checked(clean, errors, warnings)


def shown(name: str) -> str:
    """Escapes and shortens a name from outside to at most 60 ASCII characters, for log lines and answers."""
    text = name.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= 60 else text[:57] + "..."
