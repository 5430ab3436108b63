"""JSON schemas of workload.yaml and expectations.yaml, for editors. ``make schemas`` writes them to docs/schemas/.

They are made from the declaration types. An editor checks each field; ``load`` also checks the parts against each
other.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from include.workloads.declaration import Workload
from include.workloads.expectations import SharedSpec, SuiteSpec
from include.workloads.library_names import LibraryNames

DIALECT = "http://json-schema.org/draft-07/schema#"


def workload_schema(names: LibraryNames) -> dict[str, Any]:
    """Returns the schema of workload.yaml, with the hyperparameters of each model kind."""
    schema: dict[str, Any] = Workload.model_json_schema(ref_template="#/definitions/{model}")
    del schema["properties"]["name"]  # it is the name of the folder
    schema["required"].remove("name")
    model = schema["$defs"]["ModelSpec"]
    model["properties"]["kind"] = {"enum": list(names["models"]), "description": "the estimator"}
    model["allOf"] = [
        {
            "if": {"properties": {"kind": {"const": kind}}},
            "then": {"properties": {"hyperparameters": {"properties": known, "additionalProperties": False}}},
        }
        for kind, known in names["models"].items()
    ]
    return _document("workload.yaml", schema)


def expectations_schema(names: LibraryNames) -> dict[str, Any]:
    """Returns the schema of expectations.yaml, with the arguments of each expectation."""
    schema: dict[str, Any] = TypeAdapter(dict[str, SuiteSpec]).json_schema(ref_template="#/definitions/{model}")
    shared = SharedSpec.model_json_schema(ref_template="#/definitions/{model}")
    schema["properties"] = shared["properties"]  # every other key is an event type
    schema["$defs"] |= shared["$defs"]
    expectation = schema["$defs"]["ExpectationSpec"]
    common = expectation["properties"]
    common["type"] = {"enum": list(names["expectations"]), "description": "a Great Expectations expectation"}
    expectation["allOf"] = [
        {
            "if": {"properties": {"type": {"const": kind}}},
            "then": {
                "properties": {name: {} for name in [*common, *known["required"], *known["optional"]]},
                "required": known["required"],
                "additionalProperties": False,
            },
        }
        for kind, known in names["expectations"].items()
    ]
    return _document("expectations.yaml", schema)


def _document(title: str, schema: dict[str, Any]) -> dict[str, Any]:
    _refuse_other_names(schema)
    definitions = schema.pop("$defs")
    return {"$schema": DIALECT, **schema, "title": title, "definitions": definitions}


def _refuse_other_names(schema: Any) -> None:
    """An object whose names have a pattern has no others. Pydantic writes only the pattern."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema["additionalProperties"] = False
        for value in schema.values():
            _refuse_other_names(value)
    elif isinstance(schema, list):
        for value in schema:
            _refuse_other_names(value)
