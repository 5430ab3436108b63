"""The OpenAPI parts that FastAPI cannot know: the request record of this model, and what every route may answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.workloads import FieldSpec
from include.workloads.fields import LARGEST_NUMBER

_TYPES = {
    "string": {"type": "string"},
    # Larger ones are refused, whatever the schema of the workload says (include.workloads.fields).
    "integer": {"type": "integer", "exclusiveMinimum": -LARGEST_NUMBER, "exclusiveMaximum": LARGEST_NUMBER},
    "number": {"type": "number", "exclusiveMinimum": -LARGEST_NUMBER, "exclusiveMaximum": LARGEST_NUMBER},
    "boolean": {"type": "boolean"},
    "timestamp": {"type": "string", "format": "date-time"},
}
_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_COUNT = {"type": "integer", "minimum": 0}


def _object(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


_FIELD = _object({"field": _TEXT, "message": _TEXT}, {"index": _COUNT})
_PROBLEM = _object({"error": _TEXT, "request_id": _TEXT}, {"fields": _list(_FIELD)})
_WARNINGS = {
    **_list(_object({"field": _TEXT, "message": _TEXT})),
    "description": "only there when a value lies outside the range the model was trained on",
}
_PREDICTION = {
    "prediction": {"type": "integer", "enum": [0, 1]},
    "probability": {"type": "number", "minimum": 0, "maximum": 1},
}
_PARITY = _object(
    {"engine": _TEXT, "passed": {"type": "boolean"}},
    {"rows": _COUNT, "on_threshold": _COUNT, "max_difference": _NUMBER, "flipped": _COUNT, "reason": _TEXT},
)
_VERSION = _object(
    {
        **dict.fromkeys(
            ("workload", "model_version", "bundle_digest", "dataset_version", "cutoff", "code_sha", "engine"), _TEXT
        ),
        "engine_microseconds": {**_NUMBER, "description": "what the engine takes for one row, measured at start"},
        "parity": {
            **_list(_PARITY),
            "description": "what the gate measured when the model was published, per engine tried",
        },
        "processes": _COUNT,
    }
)
_GOLDEN = _object({"rows": _COUNT, "max_difference": _NUMBER, "ok": {"type": "boolean"}}, {"reason": _TEXT})
_ANSWERS = {
    "/health": _object({"status": {"type": "string", "enum": ["alive"]}}),
    "/ready": _object({"ready": {"type": "boolean"}}, {"reason": _TEXT}),
    "/version": _VERSION,
    "/golden": _GOLDEN,
}
_NOT_READY = {"503": "the model is not loaded yet, or as much is in work as the service takes on"}
_REFUSALS = {
    "400": "the body is not JSON",
    "401": "the caller's key is missing or unknown",
    "408": "the body did not arrive in time",
    "413": "the body is too large",
    "415": "the media type is not application/json",
    "422": "a field is missing, unknown or of the wrong type",
    "429": "the caller sends more than it may",
    **_NOT_READY,
}


def record_schema(fields: Mapping[str, FieldSpec]) -> dict[str, Any]:
    """JSON Schema of one request record. Bounds are in the description: a value outside is answered, with a warning."""
    properties = {}
    for name, spec in fields.items():
        schema: dict[str, Any] = dict(_TYPES[spec.type])
        if spec.nullable:
            schema["type"] = [schema["type"], "null"]
        text = ". ".join(part for part in (spec.description, _bounds(spec)) if part)
        if text:
            schema["description"] = text
        if spec.example is not None:
            schema["examples"] = [spec.example]
        properties[name] = schema
    required = [name for name, spec in fields.items() if not spec.nullable]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def describe(document: dict[str, Any], fields: Mapping[str, FieldSpec], most: int) -> None:
    """Puts requests and answers of every route into an OpenAPI ``document``."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Record"] = record_schema(fields)
    schemas["Problem"] = _PROBLEM
    reference = {"$ref": "#/components/schemas/Record"}
    batch = {
        "type": "object",
        "properties": {"records": {"type": "array", "items": reference, "minItems": 1, "maxItems": most}},
        "required": ["records"],
        "additionalProperties": False,
    }
    warned = {"warnings": _WARNINGS}
    single = _object({**_PREDICTION, "model_version": _TEXT}, warned)
    several = _object({"predictions": _list(_object(_PREDICTION, warned)), "model_version": _TEXT})
    _operation(document, "/predict", reference, single)
    _operation(document, "/predict/batch", batch, several)
    for path, answer in _ANSWERS.items():
        responses = document["paths"][path]["get"]["responses"]
        responses["200"] = _json("the answer", answer)
        # While the bundle is loaded /ready answers in its own form.
        responses |= {
            status: _json(text, answer if path == "/ready" else _problem()) for status, text in _NOT_READY.items()
        }
    text = {"description": "Prometheus' text format", "content": {"text/plain": {"schema": _TEXT}}}
    document["paths"]["/metrics"]["get"]["responses"]["200"] = text


def _operation(document: dict[str, Any], path: str, body: dict[str, Any], answer: dict[str, Any]) -> None:
    operation = document["paths"][path]["post"]
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    operation["responses"] = {"200": _json("the prediction", answer)} | {
        status: _json(text, _problem()) for status, text in _REFUSALS.items()
    }


def _problem() -> dict[str, Any]:
    return {"$ref": "#/components/schemas/Problem"}


def _json(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _bounds(spec: FieldSpec) -> str:
    parts = []
    if spec.enum is not None:
        parts.append(
            "Known values: " + ", ".join(map(str, spec.enum[:50])) + ("…" if len(spec.enum) > 50 else "") + "."
        )
    if spec.min is not None:
        parts.append(f"Usually at least {spec.min:g}.")
    if spec.max is not None:
        parts.append(f"Usually at most {spec.max:g}.")
    return " ".join(parts)
