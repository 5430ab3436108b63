"""The request record: strict validation of one record against the schema that a bundle carries.

Types and text normalisation are those of the lake (``include.workloads.fields``), so a request is cleaned exactly as
the training rows were. A workload may accept the features themselves in place of the record. Two rules differ from the
lake's. A value outside ``min``, ``max`` or ``enum`` is quarantined in the lake; here it is accepted with a warning,
because production data drift and an answer with a warning is better than none. An unknown field is dropped in the lake;
here it is an error, because it is most often misspelt.
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
        record: Every field of the record, or every feature where the request gives those; cleaned. It can be scored
            only when ``errors`` is empty.
        errors: Reasons to reject the record.
        warnings: Values outside ``min``, ``max`` or ``enum``.
    """

    record: dict[str, Any]
    errors: list[FieldProblem]
    warnings: list[FieldProblem]


class RequestSchema:
    """What a request may be: the record, or, if the workload accepts them, the features themselves.

    Args:
        fields: The fields of the record, by name.
        rules: Which of its optional fields belong together.
        features: The features that a request may give in place of the record; empty if it may not.
    """

    def __init__(
        self,
        fields: Mapping[str, FieldSpec],
        rules: Sequence[RequestRule] = (),
        features: Mapping[str, FieldSpec] | None = None,
    ) -> None:
        self.fields = dict(fields)
        self.rules = tuple(rules)
        self.features = dict(features or {})
        unbounded = {"min": None, "max": None, "enum": None}
        self._types = {name: spec.model_copy(update=unbounded) for name, spec in (self.fields | self.features).items()}

    def check(self, record: Any) -> Checked:
        """Validates one decoded JSON value."""
        if not isinstance(record, dict):
            return Checked({}, [FieldProblem("", f"must be an object with the fields {self._alternatives()}")], [])
        if not self.features.keys() & record.keys():
            return self._check(record, self.fields, self.rules)
        if self.fields.keys() & record.keys():
            return Checked({}, [FieldProblem("", f"must give either the fields {self._alternatives()}, not both")], [])
        return self._check(record, self.features, ())

    def _check(self, record: dict[str, Any], fields: Mapping[str, FieldSpec], rules: Sequence[RequestRule]) -> Checked:
        errors = [FieldProblem(shown(name), "is not a field of this model") for name in record if name not in fields]
        warnings: list[FieldProblem] = []
        clean: dict[str, Any] = {}
        for name, spec in fields.items():
            value = record.get(name)
            clean[name], problem = self._types[name].check(value)
            if problem:
                errors.append(FieldProblem(name, "must not be null" if value is None and name in record else problem))
            elif problem := spec.check(value)[1]:
                warnings.append(FieldProblem(name, problem))
        if not errors:
            errors = [FieldProblem(*problem) for rule in rules for problem in rule.problems(clean)]
        return Checked(clean, errors, warnings)

    def _alternatives(self) -> str:
        return " or ".join(", ".join(names) for names in (self.fields, self.features) if names)


def shown(name: str) -> str:
    """Escapes and shortens a name from outside to at most 60 ASCII characters, for log lines and answers."""
    text = name.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= 60 else text[:57] + "..."
