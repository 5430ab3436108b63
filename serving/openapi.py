"""The OpenAPI parts that only the bundle knows: the request record of this model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.workloads import FieldSpec

_TYPES = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "timestamp": {"type": "string", "format": "date-time"},
}
_PROBLEM = {
    "type": "object",
    "properties": {
        "error": {"type": "string"},
        "request_id": {"type": "string"},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"index": {"type": "integer"}, "field": {"type": "string"}, "message": {"type": "string"}},
                "required": ["field", "message"],
            },
        },
    },
    "required": ["error", "request_id"],
}
_REFUSALS = {
    "400": "the body is not JSON",
    "413": "the body is too large",
    "415": "the media type is not application/json",
    "422": "a field is missing, unknown or of the wrong type",
    "503": "the model is not ready",
}
_WARNINGS = {
    "type": "array",
    "description": "only there when a value lies outside the range the model was trained on",
    "items": {"type": "object", "properties": {"field": {"type": "string"}, "message": {"type": "string"}}},
}
_PREDICTION = {"prediction": {"type": "integer", "enum": [0, 1]}, "probability": {"type": "number", "minimum": 0, "maximum": 1}}


def record_schema(fields: Mapping[str, FieldSpec]) -> dict[str, Any]:
    """JSON Schema of one request record. Bounds are in the description: a value outside is answered, with a warning."""
    properties = {}
    for name, spec in fields.items():
        schema: dict[str, Any] = dict(_TYPES[spec.type])
        if spec.nullable:
            schema["type"] = [schema["type"], "null"]
        text = " ".join(part for part in (spec.description, _bounds(spec)) if part)
        if text:
            schema["description"] = text
        if spec.example is not None:
            schema["examples"] = [spec.example]
        properties[name] = schema
    required = [name for name, spec in fields.items() if not spec.nullable]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def describe(document: dict[str, Any], fields: Mapping[str, FieldSpec], most: int) -> None:
    """Puts request and answer of /predict and /predict/batch into an OpenAPI ``document``."""
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
    single = {**_PREDICTION, "model_version": {"type": "string"}, "warnings": _WARNINGS}
    each = {"type": "object", "properties": {**_PREDICTION, "warnings": _WARNINGS}}
    several = {"predictions": {"type": "array", "items": each}, "model_version": {"type": "string"}}
    _operation(document, "/predict", reference, single)
    _operation(document, "/predict/batch", batch, several)


def _operation(document: dict[str, Any], path: str, body: dict[str, Any], answer: dict[str, Any]) -> None:
    operation = document["paths"][path]["post"]
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    success = {
        "description": "the prediction",
        "content": {"application/json": {"schema": {"type": "object", "properties": answer}}},
    }
    problem = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operation["responses"] = {"200": success} | {
        status: {"description": text, "content": problem} for status, text in _REFUSALS.items()
    }


def _bounds(spec: FieldSpec) -> str:
    parts = []
    if spec.enum is not None:
        parts.append("Known values: " + ", ".join(map(str, spec.enum[:50])) + ("…" if len(spec.enum) > 50 else "") + ".")
    if spec.min is not None:
        parts.append(f"Usually at least {spec.min:g}.")
    if spec.max is not None:
        parts.append(f"Usually at most {spec.max:g}.")
    return " ".join(parts)
