"""Optional fields of a request that belong together. Without a rule, a request may leave all of them out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from include.workloads.fields import FieldSpec
from include.workloads.strict import StrictModel


class RequestRule(StrictModel):
    """A rule of the service: which of these fields a request must give. A null field counts as not given.

    Rows of the lake are not held to it: what happened is history.
    """

    need: Literal["at_least_one", "all_or_none"]
    fields: tuple[str, ...] = Field(min_length=2, description="optional fields of the request record")

    @property
    def text(self) -> str:
        """The rule as a sentence."""
        listed = f"{', '.join(self.fields[:-1])} and {self.fields[-1]}"
        if self.need == "at_least_one":
            return f"At least one of {listed} must be given."
        return f"{listed} must be given together, or not at all."

    def problems(self, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yields a field ("" for the whole record) and a text for each way in which a record breaks the rule."""
        missing = [name for name in self.fields if record.get(name) is None]
        if self.need == "at_least_one" and len(missing) == len(self.fields):
            yield "", f"at least one of {', '.join(self.fields)} must be given"
        elif self.need == "all_or_none" and 0 < len(missing) < len(self.fields):
            given = ", ".join(name for name in self.fields if name not in missing)
            for name in missing:
                yield name, f"is missing: it belongs to {given}"


def rule_problems(rule: RequestRule, request: Mapping[str, FieldSpec]) -> Iterator[str]:
    """Yields a text for each mistake in a rule for a request with these fields."""
    for name in rule.fields:
        if name not in request:
            yield f"{name} is not a field of the request record"
        elif not request[name].nullable:
            yield f"{name} is not nullable, so every request gives it"
    if len(set(rule.fields)) < len(rule.fields):
        yield "names a field twice"
