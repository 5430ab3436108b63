"""The derived files are current, and agree with the libraries and the loader that they are derived from."""

from __future__ import annotations

import itertools
import json
from typing import Any

import jsonschema
import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import InvalidParameterError

from include.training.estimators import REGISTRY
from include.workloads.documents import parse_yaml
from include.workloads.library_names import expectation_problems, library_names, model_problems
from infra.laptop.config import ROOT
from tests.support.tiny_workload import EXPECTATIONS, document

VALUES = [-1, 0, 0.0, 0.3, 0.5, 1, 1.0, 2, 2.5, 255, 256, 10**6, "x", "auto", "sqrt", "gini", "l2", True, False]
MODELS = library_names()["models"]
PARAMETERS = [(kind, name) for kind, names in MODELS.items() if kind != "xgboost" for name in names]
FLIGHTS = ROOT / "include" / "workloads" / "flights"


def schema(name: str) -> jsonschema.Draft7Validator:
    document = json.loads((ROOT / "docs" / "schemas" / f"{name}.json").read_text())
    jsonschema.Draft7Validator.check_schema(document)
    return jsonschema.Draft7Validator(document)


@pytest.mark.stack  # Great Expectations takes seconds to import
def test_the_derived_files_are_current() -> None:
    from scripts.schemas import derived_files

    stale = [path for path, text in derived_files().items() if (ROOT / path).read_text() != text]
    assert not stale, "run `make schemas`"


@pytest.mark.parametrize(("kind", "name"), PARAMETERS)
def test_a_hyperparameter_is_refused_exactly_when_scikit_learn_refuses_it(kind: str, name: str) -> None:
    made: Any = REGISTRY[kind](["number"], 0, {})
    estimator = made.steps[-1][1] if isinstance(made, Pipeline) else made
    for value in VALUES:
        accepted = not list(model_problems(kind, {name: value}))
        try:
            estimator.set_params(**{name: value}).fit(None, None)  # the hyperparameters are checked before the rows
        except InvalidParameterError:
            assert not accepted, value
        except (ValueError, TypeError, AttributeError):
            # For scikit-learn, true is also a 1.
            assert accepted or isinstance(value, bool), value
        else:
            pytest.fail("it was fitted without rows")


@pytest.mark.parametrize("name", MODELS["xgboost"])
def test_no_hyperparameter_that_xgboost_refuses_passes(name: str) -> None:
    rows, labels = np.arange(20.0).reshape(-1, 1), np.arange(20) % 2
    accepted = [value for value in VALUES if not list(model_problems("xgboost", {name: value}))]
    for value in accepted:
        if (name, value) != ("n_estimators", 10**6):
            REGISTRY["xgboost"](["number"], 0, {"n_estimators": 2, name: value}).fit(rows, labels)
    assert accepted or name == "grow_policy"
    assert any(model_problems("xgboost", {name: "x"})) and any(model_problems("xgboost", {name: -1}))


ARGUMENTS = [-1, 0, 0.5, 2, "x", "2013-01-01", "any", True, None, [], ["a", "b"], [["a", "b"]], {"a": 1}]
# Found only by the job: what a list holds, a pattern of more than one character, a time of day that is missing.
LISTS = ("column_list", "like_pattern_list", "notes", "regex_list", "value_pairs_set", "value_set")
LEFT_TO_THE_JOB = [
    *((name, value) for name in LISTS for value in ARGUMENTS if isinstance(value, list)),
    *(("escape", value) for value in ("any", "2013-01-01")),
    *((name, "2013-01-01") for name in ("min_value", "max_value")),
    ("row_condition", {"a": 1}),
    ("quantile_ranges", {"a": 1}),
]
# A valid value of each argument that an expectation may need.
NEEDED = {
    "column": "a", "column_A": "a", "column_B": "b", "column_list": ["a", "b"], "value_set": ["a"], "value": 1,
    "value_pairs_set": [["a", "b"]], "regex": "a", "regex_list": ["a"], "like_pattern": "a", "like_pattern_list": ["a"],
    "strftime_format": "%Y", "json_schema": {"type": "object"}, "type_": "int", "threshold": 1, "double_sided": True,
    "sum_total": 1, "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[0, 1]]}, "other_table_name": "t",
    "min_value": -5, "max_value": 5,
    "base_query": "select 1", "comparison_query": "select 1", "comparison_data_source_name": "s",
}  # fmt: skip


BOUNDS = ("min_value", "max_value")


@pytest.mark.stack
def test_no_argument_that_great_expectations_refuses_passes() -> None:
    from great_expectations.expectations.registry import get_expectation_impl

    def refuses(kind: str, arguments: dict[str, Any]) -> bool:
        try:
            get_expectation_impl(kind)(**arguments)
        except Exception:  # pydantic's, and Great Expectations' own
            return True
        return False

    tried, passed = 0, []
    for kind, known in library_names()["expectations"].items():
        # Some need one of the two bounds, which the type of neither says.
        named = [*known["required"], *(name for name in BOUNDS if name in known["arguments"])]
        given = {name: NEEDED[name] for name in named}
        assert not refuses(kind, given) and not list(expectation_problems(kind, given))
        for name, value in itertools.product(known["arguments"], ARGUMENTS):
            arguments = {**given, name: value}
            tried += 1
            if refuses(kind, arguments) and not list(expectation_problems(kind, arguments)):
                passed.append((kind, name, value))
    unexpected = [found for found in passed if found[1:] not in LEFT_TO_THE_JOB]
    assert tried > 2000 and not unexpected


def test_the_projects_own_files_fit_their_schemas_and_name_them() -> None:
    for file, name in (("workload.yaml", "workload"), ("expectations.yaml", "expectations")):
        text = (FLIGHTS / file).read_text()
        value, problems = parse_yaml(text, file)
        assert not problems and list(schema(name).iter_errors(value)) == []
        _, address = text.splitlines()[0].split("$schema=")
        assert (FLIGHTS / address).resolve() == ROOT / "docs" / "schemas" / f"{name}.json"


@pytest.mark.parametrize(
    "changes",
    [
        {"descriptionn": "x"}, {"name": "shop"}, {"owner": ...}, {"clock": "sundial"}, {"model__kind": "forest"},
        {"model__hyperparameters": {"max_iters": 1}}, {"model__hyperparameters": {"learning_rate": 0}},
        {"events__offered__schema__price__type": "float"}, {"events__offered__schema__Price": {"type": "number"}},
        {"quality__bar": 2}, {"joins__0__table": ...},
    ],
)  # fmt: skip
def test_an_editor_marks_what_the_loader_refuses(changes: dict[str, Any]) -> None:
    assert list(schema("workload").iter_errors(document())) == []
    assert list(schema("workload").iter_errors(document(**changes)))


def test_an_editor_knows_the_keys_that_are_no_event_type() -> None:
    tuned = {"expectation": "offered.volume", "off": True, "reason": "it is a small shop"}
    good = {**EXPECTATIONS, "tables": {"makers": {"rows": 2}}, "comparison": [tuned]}
    assert list(schema("expectations").iter_errors(good)) == []
    for wrong in ({"tables": {"makers": {"rows": -1}}}, {"comparison": [{**tuned, "reason": "no"}]}):
        assert list(schema("expectations").iter_errors({**good, **wrong}))


@pytest.mark.parametrize(
    "change", [{"type": "expect_nothing"}, {"mostlyx": 0.9}, {"column": ...}, {"severity": "fatal"}]
)
def test_an_editor_marks_a_wrong_expectation(change: dict[str, Any]) -> None:
    good = {"type": "expect_column_values_to_not_be_null", "column": "item", "severity": "critical"}
    changed = {key: value for key, value in {**good, **change}.items() if value is not ...}
    for expectation, valid in ((good, True), (changed, False)):
        suites = {**EXPECTATIONS, "rated": {"quarantine": 0, "expectations": [expectation]}}
        assert valid == (not list(schema("expectations").iter_errors(suites)))
