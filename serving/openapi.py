"""The OpenAPI parts that FastAPI cannot know: the request record of this model, and what every route may answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.model.request import RequestSchema
from include.workloads import FieldSpec
from include.workloads.fields import LARGEST_NUMBER
from include.workloads.request_rules import RequestRule

Json = dict[str, Any]

_TYPES: dict[str, Json] = {
    "string": {"type": "string"},
    # Larger numbers are rejected, whatever the schema of the workload says (include.workloads.fields).
    "integer": {"type": "integer", "exclusiveMinimum": -LARGEST_NUMBER, "exclusiveMaximum": LARGEST_NUMBER},
    "number": {"type": "number", "exclusiveMinimum": -LARGEST_NUMBER, "exclusiveMaximum": LARGEST_NUMBER},
    "boolean": {"type": "boolean"},
    "timestamp": {"type": "string", "format": "date-time"},
}
_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_COUNT = {"type": "integer", "minimum": 0}
_RECORD = {"$ref": "#/components/schemas/Record"}
_FEATURES = {"$ref": "#/components/schemas/Features"}
_PROBLEM_REFERENCE = {"$ref": "#/components/schemas/Problem"}


@dataclass(frozen=True)
class Operation:
    """One route in the API description.

    Attributes:
        responses: OpenAPI responses by status.
        body: Returns the schema of the request's body, given the schema of one record and the most records of a batch.
            ``None``: no body.
    """

    responses: Mapping[str, Json]
    body: Callable[[Json, int], Json] | None = None

    def apply(self, operation: Json, record: Json, max_batch: int) -> None:
        """Puts body and responses into an operation object that FastAPI has made."""
        operation.pop("description", None)  # the handler's docstring, which is not written for callers
        if self.body is not None:
            content = {"application/json": {"schema": self.body(record, max_batch)}}
            operation["requestBody"] = {"required": True, "content": content}
        operation["responses"] = dict(self.responses)


def record_schema(
    fields: Mapping[str, FieldSpec], rules: Sequence[RequestRule] = (), features: Iterable[str] = ()
) -> Json:
    """Returns the JSON Schema of one request record; ``features`` are those that a request may give in its place.

    Bounds are part of the description, not of the schema: a value outside is answered, with a warning.
    """
    properties = {}
    for name, spec in fields.items():
        schema = dict(_TYPES[spec.type])
        if spec.nullable:
            schema["type"] = [schema["type"], "null"]
        text = ". ".join(part for part in (spec.description, _bounds(spec)) if part)
        if text:
            schema["description"] = text
        if spec.example is not None:
            schema["examples"] = [spec.example]
        properties[name] = schema
    required = [name for name, spec in fields.items() if not spec.nullable]
    record: Json = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    if rules:
        record["allOf"] = [_rule(rule) for rule in rules]
    texts = [rule.text for rule in rules]
    if listed := ", ".join(features):
        texts.append(f"A request may instead give the features that are computed from it: {listed}.")
    return record | ({"description": " ".join(texts)} if texts else {})


def _rule(rule: RequestRule) -> Json:
    """What a rule requires: a field is given when it is present and not null."""
    given = [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in rule.fields]
    if rule.need == "at_least_one":
        return {"anyOf": given}
    return {"anyOf": [{"allOf": given}, {"properties": {name: {"type": "null"} for name in rule.fields}}]}


def components(schema: RequestSchema) -> dict[str, Json]:
    """Returns the schemas that operations refer to."""
    record = {"Record": record_schema(schema.fields, schema.rules, schema.features), "Problem": _PROBLEM}
    return record | ({"Features": record_schema(schema.features)} if schema.features else {})


def one_record(schema: RequestSchema) -> Json:
    """Returns the schema of what one record of a request may be."""
    return {"anyOf": [_RECORD, _FEATURES]} if schema.features else _RECORD


def _bounds(spec: FieldSpec) -> str:
    parts = []
    if spec.enum is not None:
        known = ", ".join(map(str, spec.enum[:50]))
        parts.append(f"Known values: {known}{'…' if len(spec.enum) > 50 else ''}.")
    if spec.min is not None:
        parts.append(f"Usually at least {spec.min:g}.")
    if spec.max is not None:
        parts.append(f"Usually at most {spec.max:g}.")
    return " ".join(parts)


def _object(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> Json:
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _json(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _batch_body(record: Json, max_batch: int) -> Json:
    return {
        "type": "object",
        "properties": {"records": {"type": "array", "items": record, "minItems": 1, "maxItems": max_batch}},
        "required": ["records"],
        "additionalProperties": False,
    }


_NOT_READY = "the model is not loaded yet"
_REJECTIONS = {
    status: _json(text, _PROBLEM_REFERENCE)
    for status, text in {
        "400": "the body is not JSON",
        "401": "the API key is missing or unknown",
        "408": "the body did not arrive in time",
        "413": "the body is too large",
        "415": "the media type is not application/json",
        "422": "a field is missing, unknown or of the wrong type",
        "429": "the caller's rate limit is reached",
        "503": f"{_NOT_READY}, or the service is at capacity",
    }.items()
}


def _information(answer: Json, not_ready: Json = _PROBLEM_REFERENCE) -> Operation:
    return Operation({"200": _json("the answer", answer), "503": _json(_NOT_READY, not_ready)})


def _scoring(answer: Json, body: Callable[[Json, int], Json]) -> Operation:
    return Operation({"200": _json("the prediction", answer), **_REJECTIONS}, body)


_FEEDBACK_BODY: Json = {
    **_object(
        {
            "request_id": {**_TEXT, "description": "the id in the header x-request-id of the prediction's answer"},
            "time": {**_TEXT, "format": "date-time", "description": "when the outcome happened"},
            "outcome": {"type": "object", "description": "the fields of the workload's label event"},
        },
        {"key": {**_TEXT, "description": "the key of the event that was predicted; without one, the request id"}},
    ),
    "additionalProperties": False,
}
_FIELD = _object({"field": _TEXT, "message": _TEXT}, {"index": _COUNT})
_PROBLEM = _object({"error": _TEXT, "request_id": _TEXT}, {"fields": _list(_FIELD)})
_PREDICTION: Json = {
    "prediction": {"type": "integer", "enum": [0, 1]},
    "probability": {"type": "number", "minimum": 0, "maximum": 1},
}
_WARNINGS: Json = {
    "warnings": {
        **_list(_object({"field": _TEXT, "message": _TEXT})),
        "description": "present only when a value is outside the range that the model was trained on",
    }
}
_PARITY = _object(
    {"engine": _TEXT, "passed": {"type": "boolean"}},
    {"rows": _COUNT, "on_threshold": _COUNT, "max_difference": _NUMBER, "flipped": _COUNT, "reason": _TEXT},
)
_IDENTITY = ("workload", "model_version", "bundle_digest", "dataset_version", "cutoff", "code_sha", "engine")
_READY = _object({"ready": {"type": "boolean"}}, {"reason": _TEXT})

PREDICT = _scoring(_object({**_PREDICTION, "model_version": _TEXT}, _WARNINGS), lambda record, _: record)
PREDICT_BATCH = _scoring(
    _object({"predictions": _list(_object(_PREDICTION, _WARNINGS)), "model_version": _TEXT}), _batch_body
)
FEEDBACK = Operation(
    {
        "202": _json("the outcome is stored", _object({"event_type": _TEXT, "key": _TEXT, "recorded_at": _TEXT})),
        **_REJECTIONS,
        "403": _json("this service accepts no feedback", _PROBLEM_REFERENCE),
        "503": _json(f"{_NOT_READY}, or the outcome could not be stored: send it again", _PROBLEM_REFERENCE),
    },
    lambda *_: _FEEDBACK_BODY,
)
# Answered with 200 while the bundle is loaded too.
HEALTH = Operation({"200": _json("the answer", _object({"status": {"type": "string", "enum": ["alive"]}}))})
# While the bundle is loaded, /ready answers in its own form.
READY = _information(_READY, not_ready=_READY)
VERSION = _information(
    _object(
        {
            **dict.fromkeys(_IDENTITY, _TEXT),
            "engine_microseconds": {
                **_NUMBER,
                "description": "time that the engine takes for one row, measured at start",
            },
            "parity": {
                **_list(_PARITY),
                "description": "result of the parity gate for each engine tried when the model was published",
            },
            "processes": _COUNT,
        },
        {"model_card_url": {**_TEXT, "description": "address of the version's model card, if it is known"}},
    )
)
GOLDEN = _information(
    _object({"rows": _COUNT, "max_difference": _NUMBER, "ok": {"type": "boolean"}}, {"reason": _TEXT})
)
METRICS = Operation(
    {
        "200": {"description": "Prometheus text format", "content": {"text/plain": {"schema": _TEXT}}},
        "503": _json(_NOT_READY, _PROBLEM_REFERENCE),
    }
)
