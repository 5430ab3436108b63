"""The Params of every DAG: what its form says of each, and what a run with another key does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.workloads import load as load_workload
from tests.support.dag_files import dag_run, load, platform_settings
from tests.support.parsed_dags import ROOT, parsed

NAMES = sorted(path.stem for path in (ROOT / "dags").glob("*.py") if path.stem != "invalid_workloads")


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_key_is_refused(name: str, build_stamp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, workload = load(name), load_workload("flights")
    monkeypatch.setattr(module, "BUILD_FILE", build_stamp)
    with platform_settings():
        dag: Any = getattr(module, name)(workload, *(["secret"] if name == "ingest_tables" else []))
        (first,) = dag.roots
        run, params = dag_run(conf={"dates": "2013-03-01"}), {key: dag.params[key] for key in dag.params}
        known = ", ".join(sorted(params))
        with pytest.raises(AirflowFailException, match=rf'unknown keys: "dates".*The Params are {known}'):
            first.python_callable(*first.op_args, dag_run=run, params=params)


def form_problems(name: str, param: dict[str, Any]) -> list[str]:
    """What is wrong with a Param as the form shows it: its description, its examples, and what it accepts."""
    text, schema, default = param["description"] or "", param["schema"], param["default"]
    kinds, examples, found = schema.get("type"), schema.get("examples") or [], []
    if not kinds:
        found.append("has no type, so the form accepts anything")
    if len(text) < 20:
        found.append("has no description")
    if not examples:
        found.append("has no example")
    for example in examples:
        try:
            jsonschema.validate(example, schema, format_checker=jsonschema.FormatChecker())
        except jsonschema.ValidationError as error:
            found.append(f"refuses its own example: {error.message}")
        if kinds != "boolean" and (example if isinstance(example, str) else json.dumps(example)) not in text:
            found.append(f"does not show its example {example} in its text")
    if default is None and "Empty: " not in text:
        found.append("does not say what an empty one means")
    if name.endswith("date") and schema.get("format") != "date":
        found.append("is a date without a date picker")
    return [f"{name} {problem}" for problem in found]


GOOD: dict[str, Any] = {
    "description": "The day to process. Empty: yesterday. Example: 2013-03-01",
    "default": None,
    "schema": {"type": ["null", "string"], "format": "date", "examples": ["2013-03-01"]},
}


@pytest.mark.stack
@pytest.mark.parametrize("name", NAMES)
def test_a_form_says_what_each_field_is_with_an_example_and_what_an_empty_one_means(name: str) -> None:
    for dag_id, dag in parsed()["files"][f"{name}.py"]["dags"].items():
        problems = [problem for key, param in dag["params"].items() for problem in form_problems(key, param)]
        assert not problems, dag_id


def test_a_form_that_says_too_little_is_found() -> None:
    assert form_problems("date", GOOD) == []
    bad: list[tuple[str, dict[str, Any]]] = [
        ("has no description", {"description": "Empty: 2013-03-01"}),
        ("what an empty one means", {"description": "The day to process. Example: 2013-03-01"}),
        ("show its example", {"description": "The day to process. Empty: yesterday (UTC)."}),
        ("has no example", {"schema": {"type": ["null", "string"], "format": "date"}}),
        ("refuses its own example", {"schema": {**GOOD["schema"], "pattern": "^x$"}}),
        ("has no type", {"schema": {"format": "date", "examples": ["2013-03-01"]}}),
        ("without a date picker", {"schema": {"type": ["null", "string"], "examples": ["2013-03-01"]}}),
    ]
    for problem, change in bad:
        (found,) = form_problems("date", {**GOOD, **change})
        assert problem in found
