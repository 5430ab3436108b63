"""The trial run of a workload's features: once for the schema's examples, and with each field null that may be.

Otherwise a mistake shows minutes later, as a quarantined row in a Glue job or as an error of the service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.workloads.feature_code import FeatureCode, compute_row
from include.workloads.fields import FieldSpec
from include.workloads.request_rules import RequestRule

_SAMPLES = {"string": "text", "boolean": True, "timestamp": "2024-02-29T12:30:00.000000Z"}


def feature_problems(
    code: FeatureCode, request: Mapping[str, FieldSpec], rules: Sequence[RequestRule] = ()
) -> Iterator[tuple[str, str]]:
    """Yields the name in features.py and a text for the first record of which the features cannot be computed.

    Records that a rule refuses are not tried.
    """
    for nulls in _nulls(request):
        record = {name: None if name in nulls else _sample(spec) for name, spec in request.items()}
        if any(list(rule.problems(record)) for rule in rules):
            continue
        problem = compute_row(code, record)[1]
        if problem:
            shown = {name: value for name, value in record.items() if name in nulls} if nulls else record
            invented = [] if nulls else [name for name, spec in request.items() if _is_invented(spec)]
            advice = f". If such a record cannot occur, give {', '.join(invented)} an example" if invented else ""
            yield "", f"{problem} for a request with {shown}{advice}"
            return


def _nulls(request: Mapping[str, FieldSpec]) -> Iterator[list[str]]:
    """The fields that are null in each record that is tried: none, each one that may be, all of them."""
    nullable = [name for name, spec in request.items() if spec.nullable]
    yield []
    yield from ([name] for name in nullable)
    if len(nullable) > 1:
        yield nullable


def _sample(spec: FieldSpec) -> Any:
    """The example, or else a value that the schema allows."""
    if spec.example is not None:
        return spec.check(spec.example)[0]
    if spec.enum:
        return spec.check(spec.enum[0])[0]
    if spec.type not in ("integer", "number"):
        return _SAMPLES[spec.type]
    low, high = (spec.min, spec.max)
    value = low if low is not None else min(1.0, high) if high is not None else 1.0
    return float(value) if spec.type == "number" else int(-(-value // 1))


def _is_invented(spec: FieldSpec) -> bool:
    return spec.example is None and not spec.enum and spec.type in ("string", "timestamp")
