"""The derived files are current, and agree with the libraries and the loader that they are derived from."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import InvalidParameterError

from include.training.estimators import REGISTRY
from include.workloads.documents import parse_yaml
from include.workloads.library_names import library_names, model_problems
from infra.laptop.config import ROOT
from tests.support.tiny_workload import EXPECTATIONS, document

VALUES = [-1, 0, 0.0, 0.3, 0.5, 1, 1.0, 2, 2.5, 255, 256, 10**6, "x", "auto", "sqrt", "gini", "l2", True, False]
PARAMETERS = [(kind, name) for kind, names in library_names()["models"].items() for name in names]
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


@pytest.mark.parametrize(
    "change", [{"type": "expect_nothing"}, {"mostlyx": 0.9}, {"column": ...}, {"severity": "fatal"}]
)
def test_an_editor_marks_a_wrong_expectation(change: dict[str, Any]) -> None:
    good = {"type": "expect_column_values_to_not_be_null", "column": "item", "severity": "critical"}
    changed = {key: value for key, value in {**good, **change}.items() if value is not ...}
    for expectation, valid in ((good, True), (changed, False)):
        suites = {**EXPECTATIONS, "rated": {"quarantine": 0, "expectations": [expectation]}}
        assert valid == (not list(schema("expectations").iter_errors(suites)))
