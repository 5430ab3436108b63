"""The model kinds with their hyperparameters, and the expectations with their arguments.

Neither scikit-learn nor Great Expectations exists where Airflow loads a workload, so their names are a data file.
``make schemas`` writes it from the libraries; a test compares the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, TypedDict

from include.workloads.suggestions import did_you_mean

_PYTHON_TYPES: dict[str, type] = {
    "boolean": bool,
    "string": str,
    "array": list,
    "object": dict,
    "null": type(None),
}
FILE = "library_names.json"


class Arguments(TypedDict):
    """An expectation's arguments. ``arguments``: name → JSON schema of its value."""

    required: list[str]
    arguments: dict[str, Any]


class LibraryNames(TypedDict):
    """The data file. ``models``: kind → hyperparameter → JSON schema of its value. ``gpu_models``: kinds for one."""

    models: dict[str, dict[str, Any]]
    gpu_models: list[str]
    expectations: dict[str, Arguments]


@cache
def library_names() -> LibraryNames:
    """Reads the data file."""
    names: LibraryNames = json.loads(files("include.workloads").joinpath(FILE).read_text(encoding="utf-8"))
    return names


def model_problems(kind: str, hyperparameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields the field below ``model`` and a text for each unknown name and each value that scikit-learn refuses."""
    models = library_names()["models"]
    if kind not in models:
        yield "kind", f"{kind} is not one of {', '.join(models)}{did_you_mean(kind, models)}"
        return
    for name, value in hyperparameters.items():
        if name not in models[kind]:
            yield f"hyperparameters.{name}", f"is no hyperparameter of {kind}{did_you_mean(name, models[kind])}"
        elif not any(_fits(value, schema) for schema in models[kind][name]["anyOf"]):
            yield f"hyperparameters.{name}", f"{value!r} is not {_described(models[kind][name]['anyOf'])}"


def has_whole_values(kind: str, name: str) -> bool:
    """Whether a hyperparameter of a model kind takes integers other than as numbers: 0.5 would be none."""
    schemas = library_names()["models"].get(kind, {}).get(name, {}).get("anyOf", [])
    return any(schema.get("type") == "integer" for schema in schemas)


def expectation_problems(kind: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yields a text for an unknown expectation, and for each argument that is unknown, wrong or missing."""
    known = library_names()["expectations"]
    if kind not in known:
        yield f"Great Expectations has no {kind}{did_you_mean(kind, known)}"
        return
    allowed = known[kind]["arguments"]
    for name, value in arguments.items():
        if name not in allowed:
            yield f"{kind} has no argument {name}{did_you_mean(name, allowed)}"
        elif not any(_fits(value, schema) for schema in allowed[name]["anyOf"]):
            yield f"{name} {value!r} is not {_described(allowed[name]['anyOf'])}"
    for name in known[kind]["required"]:
        if name not in arguments:
            yield f"{kind} needs the argument {name}"


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    if not schema:
        return True
    if schema["type"] in _PYTHON_TYPES:
        fits = isinstance(value, _PYTHON_TYPES[schema["type"]])
        return fits and ("pattern" not in schema or bool(re.search(schema["pattern"], value)))
    whole = isinstance(value, int)
    if isinstance(value, bool) or not isinstance(value, int | float) or (schema["type"] == "integer" and not whole):
        return False
    if whole and "not" in schema:  # {"not": {"type": "integer"}}: 1 would mean something else than 1.0
        return False
    return (
        value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and not value <= schema.get("exclusiveMinimum", float("-inf"))
        and not value >= schema.get("exclusiveMaximum", float("inf"))
    )


def _described(schemas: list[dict[str, Any]]) -> str:
    return " or ".join(_described_one(schema) for schema in schemas)


def _described_one(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    if "pattern" in schema:
        return "a date"
    if schema["type"] == "null":
        return "null"
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to", "exclusiveMaximum": "below"}
    bounds = "".join(f" {text} {schema[key]:g}" for key, text in words.items() if key in schema)
    return f"{'an' if schema['type'][0] in 'aio' else 'a'} {schema['type']}{bounds}"
