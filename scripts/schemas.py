"""``make schemas``: writes what is derived from the types of a workload's files, and from the libraries they name.

- ``include/workloads/library_names.json``: model kinds, hyperparameters, expectations, arguments.
- ``docs/schemas/workload.json`` and ``expectations.json``: JSON schemas for editors.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterator
from datetime import date
from numbers import Integral
from typing import Annotated, Any, Literal, Union, get_args, get_origin

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

from great_expectations.compatibility.pydantic import BaseModel
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.registry import (
    get_expectation_impl,
    list_registered_expectation_implementations,
)
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import Hidden, Interval, Options, StrOptions, make_constraint

from include.training import xgboost_model
from include.training.estimators import GPU_KINDS, REGISTRY
from include.workloads import library_names
from include.workloads.json_schema import expectations_schema, workload_schema
from include.workloads.library_names import Arguments, LibraryNames
from scripts.steps import ROOT

# What Nightjar or Great Expectations sets itself, besides a text that a person may add.
_NOT_ARGUMENTS = set(Expectation.__fields__) - {"description", "notes"} | {"library_metadata"}
_JSON_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (date, "date"),
    (dict, "object"),
    (BaseModel, "object"),  # pydantic 1, as in Great Expectations
    (Collection, "array"),
)
_TYPES = {"Integral": "integer", "Real": "number", "RealNotInt": "number"}


def derived_files() -> dict[str, str]:
    """Returns the content of each derived file by its path in the repository."""
    names: LibraryNames = {
        "models": {
            **{kind: dict(sorted(_hyperparameters(kind))) for kind in REGISTRY if kind != "xgboost"},
            "xgboost": {name: {"anyOf": [schema]} for name, schema in sorted(xgboost_model.PARAMETERS.items())},
        },
        "gpu_models": sorted(GPU_KINDS),
        "expectations": {
            kind: _arguments(kind)
            for kind in sorted(list_registered_expectation_implementations())
            if kind.startswith("expect_")
        },
    }
    return {
        f"include/workloads/{library_names.FILE}": _text(names),
        "docs/schemas/workload.json": _text(workload_schema(names)),
        "docs/schemas/expectations.json": _text(expectations_schema(names)),
    }


def main() -> int:
    """Writes the files that have changed and prints their paths."""
    for path, text in derived_files().items():
        file = ROOT / path
        if not file.is_file() or file.read_text() != text:
            file.write_text(text)
            print(f"wrote {path}")
    return 0


def _hyperparameters(kind: str) -> Iterator[tuple[str, Any]]:
    """The hyperparameters that a workload may set: those that Nightjar does not set itself, with a simple value."""
    made: Any = REGISTRY[kind](["number"], 0, {})
    estimator = made.steps[-1][1] if isinstance(made, Pipeline) else made
    for name, value in estimator.get_params(deep=False).items():
        schemas = [schema for one in estimator._parameter_constraints[name] for schema in _schemas(one)]
        try:
            REGISTRY[kind](["number"], 0, {name: value})
        except TypeError:  # Nightjar passes it, too
            continue
        if schemas:
            yield name, {"anyOf": schemas}


def _schemas(constraint: Any) -> Iterator[dict[str, Any]]:
    """The JSON schemas of a scikit-learn constraint; none for what YAML's numbers, texts and booleans cannot be."""
    made = make_constraint(constraint)
    if isinstance(made, Hidden):
        return
    if isinstance(made, StrOptions):
        yield {"enum": sorted(made.options)}
    elif isinstance(made, Options) and made.type is not str:
        return
    elif isinstance(made, Interval):
        low = "minimum" if made.closed in ("left", "both") else "exclusiveMinimum"
        high = "maximum" if made.closed in ("right", "both") else "exclusiveMaximum"
        bounds = ((low, made.left), (high, made.right))
        limits = {key: value for key, value in bounds if value is not None and abs(value) != float("inf")}
        kind = made.type.__name__
        yield {"type": _TYPES[kind], **limits, **({"not": {"type": "integer"}} if kind == "RealNotInt" else {})}
    elif constraint == "boolean":
        yield {"type": "boolean"}
    elif constraint == "verbose":
        yield from ({"type": "integer", "minimum": 0}, {"type": "boolean"})
    elif constraint is str:
        yield {"type": "string"}
    elif constraint is Integral:
        yield {"type": "integer"}


def _arguments(kind: str) -> Arguments:
    fields: Any = get_expectation_impl(kind).__fields__
    named = {name: field for name, field in fields.items() if name not in _NOT_ARGUMENTS}
    return {
        "required": [name for name, field in named.items() if field.required],
        "arguments": {
            name: {"anyOf": [*_types(field.outer_type_), *([{"type": "null"}] if field.allow_none else [])]}
            for name, field in named.items()
        },
    }


def _types(annotation: Any) -> list[dict[str, Any]]:
    """The JSON schemas of an argument's type. What YAML cannot express, or this does not know, may be anything."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _types(parts[0])
    if origin is Literal:
        return [{"enum": sorted(parts)}]
    if origin is Union:
        # A dict would name a parameter that is given to the validation, but Nightjar gives none.
        simple = [part for part in parts if part not in (dict, type(None))]
        found = [schema for part in simple for schema in _types(part)]
        return [schema for index, schema in enumerate(found) if schema not in found[:index]]
    kind = origin or annotation
    if not isinstance(kind, type):
        return [{}]
    name = next((name for base, name in _JSON_TYPES if issubclass(kind, base)), None)
    if name == "number":
        bounds = {"minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt"}
        limits = {key: getattr(kind, bound, None) for key, bound in bounds.items()}
        return [{"type": name, **{key: limit for key, limit in limits.items() if limit is not None}}]
    if name == "date":
        return [{"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}"}]
    return [{"type": name} if name else {}]


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
