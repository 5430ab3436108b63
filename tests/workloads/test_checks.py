"""Every mistake in a workload's folder is reported with its file and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tiny_workload import EXPECTATIONS, document, refusal


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"quality__metric": "accuracy"}, "shop/workload.yaml: quality.metric: Input should be 'auc'"),
        ({"owner": ...}, "shop/workload.yaml: owner: Field required"),
        ({"colour": "red"}, "shop/workload.yaml: colour: Extra inputs are not permitted"),
        ({"name": "other"}, "shop/workload.yaml: name: is the name of the folder; remove it"),
        ({"dataset__train_days": 0}, "shop/workload.yaml: dataset.train_days: "),
        (
            {"model__unknown_category": "missing"},
            "shop/workload.yaml: model.unknown_category: Extra inputs are not permitted",
        ),
        ({"events__offered__schema__price__type": "float"}, "shop/workload.yaml: events.offered.schema.price.type: "),
        ({"events__offered__schema__price__min": 2000}, "events.offered.schema.price: min 2000 is above max 1000"),
        ({"events__offered__schema__item__min": 1}, "min and max are for integer and number, not for string"),
        ({"events__offered__schema__item__example": 7}, "events.offered.schema.item: example 7 is not a string"),
        ({"events__rated__schema__stars__enum": [1, "two"]}, "enum value 'two' is not an integer"),
        (
            {"events__rated__role": "features"},
            "events: exactly one event must have the role features, not 2 (offered, rated)",
        ),
        ({"events__rated": ...}, "events: exactly one event must have the role label, not 0"),
        (
            {"events__rated__schema__known_at": {"type": "timestamp"}},
            "events.rated.schema.known_at: is a name that Nightjar uses itself",
        ),
        ({"database": ...}, "database: is missing: it is needed to read the tables"),
        ({"database__zone": "noon; --"}, "database.zone: "),
        ({"tables__makers__columns": {"gone": "Gone"}}, "tables.makers: columns: gone is not in the schema"),
        ({"tables__makers__key": ["id"]}, "tables.makers.key: id is not in the table's schema"),
        ({"tables__makers__valid_from": "name"}, "tables.makers.valid_from: name must be a timestamp"),
        ({"tables__makers__watermark": "gone"}, "tables.makers.watermark: gone must be a timestamp"),
        (
            {"tables__offered": document()["tables"]["makers"]},
            "tables.offered: has the same name as the stream or an event",
        ),
        ({"joins__0__table": "shops"}, "joins.0.table: shops is not in tables"),
        ({"joins__0__fields": ["age"]}, "joins.0.fields: age is not in the schema of the table makers"),
        ({"joins__0__on": {"item": "thing"}}, "joins.0.on.item: thing is not a field of the event offered"),
        ({"joins__0__on": {"item": "price"}}, "joins.0.on.item: is string, but price is number"),
        ({"joins__0__on": {"name": "item"}}, "joins.0.on: must name all columns of the table's key: item"),
        ({"joins__0__lead": "-PT1H"}, "joins.0.lead: "),
        (
            {"joins__0__prefix": "", "joins__0__fields": ["item"]},
            "joins.0.prefix: there is already a request field item",
        ),
        ({"joins__0__prefix": "f_"}, "joins.0.prefix: f_name is a name that Nightjar uses itself"),
        (
            {"events__offered__schema__f_price": {"type": "number"}},
            "events.offered.schema.f_price: is a name that Nightjar uses itself",
        ),
        (
            {"request": {"price": {"max": 5, "description": "in euros"}}},
            "request.price: max is taken from where the field is declared; write only description and example here",
        ),
        ({"request": {"price": {"example": "dear"}}}, "request.price.example: 'dear' is not a number"),
        (
            {"request": {"size": {"description": "in metres"}}},
            "request.size: is neither a field of the feature event nor a joined field",
        ),
        ({"label__event": "offered"}, "label.event: offered is not the event whose role is label"),
        ({"label__expression": "stars > 3; drop table x"}, "label.expression: must be one boolean SQL expression"),
        ({"quality__slice": "price"}, "quality.slice: price is not a string, integer or boolean field"),
    ],
)
def test_a_mistake_in_workload_yaml_names_file_and_field(tmp_path: Path, changes: dict, expected: str) -> None:
    assert expected in refusal(tmp_path, workload=document(**changes))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "must be a mapping"),
        ("owner: [", "is not YAML (line 1)"),
        ("owner: a\nowner: b\n", "is not YAML (line 2): the key 'owner' occurs twice"),
    ],
)
def test_a_file_that_is_not_a_mapping_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    assert f"shop/workload.yaml: {expected}" in refusal(tmp_path, workload=text)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(:", "features.py: is not Python"),
        ("import numpy\n", "features.py: imports numpy: features may use only the standard library"),
        ("from include import settings\n", "features.py: imports include"),
        ("1 / 0\n", "features.py: cannot be executed: ZeroDivisionError"),
        ('FEATURES = {"a": "number"}\n', "features.py: features: must be a function"),
        ("def features(record): ...\n", "features.py: FEATURES: must be a dict"),
        (
            'FEATURES = {"A": "text"}\ndef features(record): ...\n',
            "features.py: FEATURES.A: must be one of number, category",
        ),
        (
            'FEATURES = {"A": "number"}\ndef features(record): ...\n',
            "features.py: FEATURES.A: must be a lower-case name",
        ),
    ],
)
def test_a_mistake_in_features_is_named(tmp_path: Path, source: str, expected: str) -> None:
    assert f"shop/{expected}" in refusal(tmp_path, features=source)


@pytest.mark.parametrize(
    ("expectations", "expected"),
    [
        ({"offered": EXPECTATIONS["offered"]}, "rated: is missing"),
        ({**EXPECTATIONS, "sold": {"quarantine": 0}}, "sold: is not an event of this workload"),
        ({**EXPECTATIONS, "rated": {}}, "rated.quarantine: Field required"),
        ({**EXPECTATIONS, "rated": {"quarantine": 0, "unique": ["id"]}}, "rated.unique: id is not a column"),
        (
            {
                **EXPECTATIONS,
                "rated": {
                    "quarantine": 0,
                    "expectations": [{"type": "expect_x", "column": "y", "severity": "critical"}],
                },
            },
            "rated.expectations.0: y is not a column",
        ),
        (
            {**EXPECTATIONS, "rated": {"quarantine": 0, "expectations": [{"type": "expect_x", "severity": "fatal"}]}},
            "rated.expectations.0.severity: Input should be 'critical' or 'warning'",
        ),
    ],
)
def test_a_mistake_in_expectations_is_named(tmp_path: Path, expectations: dict, expected: str) -> None:
    assert f"shop/expectations.yaml: {expected}" in refusal(tmp_path, expectations=expectations)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"mostly": 95}, "mostly is a share from 0 to 1, not 95; 95 % is 0.95"),
        ({"mostly": -0.1}, "mostly is a share from 0 to 1, not -0.1"),
        ({"mostly": "0.9"}, "mostly is a share from 0 to 1, not '0.9'"),
        ({"min_value": 5, "max_value": 2}, "min_value 5 is above max_value 2: no value could meet it"),
    ],
)
def test_an_expectation_that_nothing_could_meet_is_refused(tmp_path: Path, arguments: dict, expected: str) -> None:
    """Great Expectations would say so minutes later, in a Glue job, or never."""
    expectation = {"type": "expect_x", "severity": "critical", **arguments}
    expectations = {**EXPECTATIONS, "rated": {"quarantine": 0, "expectations": [expectation]}}
    assert f"rated.expectations.0: {expected}" in refusal(tmp_path, expectations=expectations)
