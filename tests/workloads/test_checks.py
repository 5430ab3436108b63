"""Every mistake in a workload's folder is reported with its file and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.workloads import WorkloadError, discover, load
from tests.support.tiny_workload import EXPECTATIONS, document, refusal, write_workload

IN_SET = {"type": "expect_column_values_to_be_in_set", "column": "stars", "severity": "critical"}
BETWEEN = {"type": "expect_column_values_to_be_between", "column": "stars", "severity": "critical"}
PRICE_SLICE = {"field": "price", "margin": 0.1, "minimum": 10, "edges": [5, 50]}
NULLS = {"type": "expect_column_values_to_not_be_null", "column": "stars", "severity": "critical"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"quality__metric": "accuracy"}, "shop/workload.yaml: quality.metric: Input should be 'auc'"),
        ({"owner": ...}, "shop/workload.yaml: owner: Field required"),
        ({"colour": "red"}, "shop/workload.yaml: colour: is not a field here"),
        ({"name": "other"}, "shop/workload.yaml: name: is the name of the folder; remove it"),
        ({"dataset__train_days": 0}, "shop/workload.yaml: dataset.train_days: "),
        (
            {"model__unknown_category": "missing"},
            "shop/workload.yaml: model.unknown_category: is not a field here",
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
        (
            {"events__rated": ..., "events__predictions": document()["events"]["rated"], "label__event": "predictions"},
            "events.predictions: is the name of the prediction log's table",
        ),
        ({"stream__name": "nightjar-other"}, "stream.name: must be nightjar-shop, because the policies of the roles"),
        ({"database": ...}, "database: is missing: it is needed to read the tables"),
        ({"database__zone": "noon; --"}, "database.zone: "),
        ({"tables__makers__columns": {"gone": "Gone"}}, "tables.makers: columns: gone is not in the schema"),
        ({"tables__makers__key": ["id"]}, "tables.makers.key: id is not in the table's schema"),
        ({"tables__makers__valid_from": "name"}, "tables.makers.valid_from: name must be a timestamp"),
        ({"tables__makers__watermark": "gone"}, "tables.makers.watermark: gone must be a timestamp"),
        ({"tables__makers__initial_load": "2013-3-1"}, "tables.makers.initial_load: '2013-3-1' is not a day: write it"),
        ({"tables__makers__initial_load": 20130301}, "tables.makers.initial_load: 20130301 is not a day: write it"),
        (
            {"tables__offered": document()["tables"]["makers"]},
            "tables.offered: has the same name as the stream or an event",
        ),
        ({"tables__makers__deleted": "gone"}, "tables.makers.deleted: gone must be a boolean, or a timestamp that may"),
        ({"tables__makers__deleted": "updated_at"}, "tables.makers.deleted: updated_at must be a boolean"),
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
        (
            {"request_rules": [{"need": "at_least_one", "fields": ["stock", "size"]}]},
            "request_rules.0.fields: size is not a field of the request record",
        ),
        (
            {"request_rules": [{"need": "all_or_none", "fields": ["stock", "price"]}]},
            "request_rules.0.fields: price is not nullable, so every request gives it",
        ),
        (
            {"request_rules": [{"need": "all_or_none", "fields": ["stock", "stock"]}]},
            "request_rules.0.fields: names a field twice",
        ),
        (
            {"request_rules": [{"need": "all_or_none", "fields": ["stock"]}]},
            "request_rules.0.fields: Tuple should have",
        ),
        (
            {"request_features": {"half": {"type": "number"}}},
            "request_features: lacks price, item, maker: a request gives",
        ),
        ({"request_features": {"half": {"type": "number"}}}, "request_features.half: is not a feature of features.py"),
        (
            {"request_features": {"maker": {"type": "number"}}},
            "request_features.maker: must be of type string: the fea",
        ),
        ({"request_features": {"item": {"type": "string"}}}, "request_features.item: is also a field of the request"),
        (
            {"request_features": {"maker": {"type": "string", "nullable": True}}},
            "request_features: needs a field that is not nullable",
        ),
        ({"label__event": "offered"}, "label.event: offered is not the event whose role is label"),
        ({"label__expression": "stars > 3; drop table x"}, "label.expression: ';' (character 10) is not part"),
        (
            {"label__expression": "star >= 4"},
            "label.expression: star is no column of the label event; did you mean stars?",
        ),
        ({"label__expression": "stars"}, "label.expression: is an integer, but a label is true or false"),
        ({"label__event": "offered"}, "label.event: offered is not the event whose role is label, which is rated"),
        (
            {"model__tuning": {"ranges": {"max_iters": {"min": 1, "max": 2}}, "budget_usd": 1}},
            "model.tuning.ranges.max_iters: is no hyperparameter of hist_gradient_boosting; did you mean max_iter?",
        ),
        (
            {"model__tuning": {"ranges": {"learning_rate": {"min": -1, "max": 2}}, "budget_usd": 1}},
            "model.tuning.ranges.learning_rate: -1 is not a number above 0",
        ),
        (
            {"model__tuning": {"ranges": {"max_iter": {"min": 10.5, "max": 20.5}}, "budget_usd": 1}},
            "model.tuning.ranges.max_iter: 10.5 is not an integer from 1",
        ),
        (
            {"model__tuning": {"ranges": {"max_iter": {"min": 20, "max": 10}}, "budget_usd": 1}},
            "model.tuning.ranges.max_iter: min 20 must be below max 10",
        ),
        (
            {"model__tuning": {"ranges": {"tol": {"min": 0, "max": 1, "scale": "log"}}, "budget_usd": 1}},
            "model.tuning.ranges.tol: scale log needs a min above 0",
        ),
        (
            {"model__tuning": {"ranges": {"max_iter": {"min": 10}}, "budget_usd": 1}},
            "model.tuning.ranges.max_iter: needs min and max, or values",
        ),
        (
            {"model__tuning": {"ranges": {"max_iter": {"min": 1, "max": 2, "values": [1]}}, "budget_usd": 1}},
            "model.tuning.ranges.max_iter: has values, so it has no min, max or scale",
        ),
        ({"model__tuning": {"ranges": {"max_iter": {"min": 1, "max": 2}}}}, "model.tuning.budget_usd: Field required"),
        ({"model__kind": "random_forrest"}, "model.kind: random_forrest is not one of hist_gradient_boosting, random_"),
        (
            {"model__hyperparameters": {"max_iters": 10}},
            "model.hyperparameters.max_iters: is no hyperparameter of hist_gradient_boosting; did you mean max_iter?",
        ),
        (
            {"model__hyperparameters": {"learning_rate": 0}},
            "model.hyperparameters.learning_rate: 0 is not a number above 0",
        ),
        (
            {"model__hyperparameters": {"early_stopping": "yes"}},
            "model.hyperparameters.early_stopping: 'yes' is not one of auto or a boolean",
        ),
        (
            {"model__hyperparameters": {"random_state": 1}},
            "model.hyperparameters.random_state: is no hyperparameter of hist_gradient_boosting",
        ),
        ({"descriptionn": "x"}, "shop/workload.yaml: descriptionn: is not a field here; did you mean description?"),
        (
            {"events__offered__schema__price__mn": 1},
            "events.offered.schema.price.mn: is not a field here; did you mean min?",
        ),
        ({"joins__0__tablee": "makers"}, "joins.0.tablee: is not a field here; did you mean table?"),
        ({"joins__0__table": "maker"}, "joins.0.table: maker is not in tables; did you mean makers?"),
        ({"joins__0__fields": ["namee"]}, "namee is not in the schema of the table makers; did you mean name?"),
        (
            {"quality__slices__0__field": "itm"},
            "quality.slices.0.field: itm is not a field of the request record; did you mean item?",
        ),
        ({"quality__slices__0__field": "price"}, "quality.slices.0.edges: is missing: price is a number"),
        ({"quality__slices__0__field": "made"}, "quality.slices.0.field: made is a timestamp"),
        ({"quality__slices__0__edges": [1]}, "quality.slices.0.edges: item is a string, and only numbers have edges"),
        ({"quality__slices": [{**PRICE_SLICE, "edges": [5, 5]}]}, "quality.slices.0.edges: must ascend"),
        ({"quality__slices": [PRICE_SLICE, PRICE_SLICE]}, "quality.slices: price is there twice"),
        ({"quality__slices": []}, "quality.slices: Tuple should have at least 1 item"),
        (
            {"quality__slices": ..., "quality__slice": "item", "quality__slice_margin": 0.1},
            "quality: slice, slice_margin are a list now. Write slices: [{field: item, margin: 0.1, minimum: …}]",
        ),
    ],
)
def test_a_mistake_in_workload_yaml_names_file_and_field(tmp_path: Path, changes: dict, expected: str) -> None:
    assert expected in refusal(tmp_path, workload=document(**changes))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "must be a mapping"),
        ("owner: [", "is not YAML (line 2)"),
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


HEAD = 'FEATURES = {"price": "number", "maker": "category"}\ndef features(record):\n    '


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return {}", "features: did not return exactly the names in FEATURES for a request with {'item': "),
        (
            'return {"price": record["prize"], "maker": None}',
            "features: KeyError: 'prize' for a request with {'item': ",
        ),
        ('return {"price": "dear", "maker": None}', "features: price: is not a number for a request"),
        ('return {"price": 1, "maker": 2}', "features: maker: is not a string for a request"),
        (
            'return {"price": record["stock"] / 2, "maker": None}',
            (
                "features: TypeError: unsupported operand type(s) for /: 'NoneType' and 'int' for a request with "
                "{'stock': None}"
            ),
        ),
        (
            'return {"price": 1 / (record["stock"] or record["fresh"] or 0), "maker": None}',
            "features: ZeroDivisionError: division by zero for a request with {'stock': None, 'fresh': None, ",
        ),
        (
            'return {"price": float(record["item"]), "maker": None}',
            "If such a record cannot occur, give item, made, maker_name an example",
        ),
    ],
)
def test_features_that_cannot_be_computed_are_found_before_any_job(tmp_path: Path, body: str, expected: str) -> None:
    text = refusal(tmp_path, features=HEAD + body)
    assert text.startswith("shop/features.py: features: ") and expected in text


def test_features_are_not_tried_on_a_record_that_a_rule_refuses(tmp_path: Path) -> None:
    body = 'return {"price": 1 / sum(record[name] is not None for name in ("stock", "fresh")), "maker": None}'
    assert "ZeroDivisionError" in refusal(tmp_path, features=HEAD + body)
    rules = [{"need": "at_least_one", "fields": ["stock", "fresh"]}]
    write_workload(tmp_path / "ruled", workload=document(request_rules=rules), features=HEAD + body)
    assert load("shop", tmp_path / "ruled").request_rules[0].need == "at_least_one"


@pytest.mark.parametrize("name", ["Shop", "my_shop", "s", "1shop", "a" * 21])
def test_the_rule_of_a_folders_name_is_said(tmp_path: Path, name: str) -> None:
    write_workload(tmp_path, name)
    (error,) = discover(tmp_path)[1]
    rule = "the folder's name must have 2 to 20 lower-case letters and digits, the first one a letter"
    assert str(error) == f"{tmp_path / name}: {rule}"


def test_a_name_without_a_folder_is_answered_with_a_near_one(tmp_path: Path) -> None:
    write_workload(tmp_path, "shop")
    with pytest.raises(WorkloadError, match=r"there is no such folder; did you mean shop\?"):
        load("shopp", tmp_path)


@pytest.mark.parametrize(
    ("expectations", "expected"),
    [
        (
            {**EXPECTATIONS, "rated": {"quarantine": 0, "expectations": [NULLS | {"type": NULLS["type"] + "s"}]}},
            (
                "rated.expectations.0: Great Expectations has no expect_column_values_to_not_be_nulls; did you mean "
                "expect_column_values_to_not_be_null?"
            ),
        ),
        (
            {**EXPECTATIONS, "rated": {"quarantine": 0, "expectations": [NULLS | {"mostlyy": 0.9}]}},
            "rated.expectations.0: expect_column_values_to_not_be_null has no argument mostlyy; did you mean mostly?",
        ),
        (
            {**EXPECTATIONS, "rated": {"quarantine": 0, "expectations": [IN_SET | {"value_set": 5}]}},
            "rated.expectations.0: value_set 5 is not an array",
        ),
        (
            {**EXPECTATIONS, "rated": {"quarantine": 0, "expectations": [BETWEEN | {"min_value": "low"}]}},
            "rated.expectations.0: min_value 'low' is not a number or a date or null",
        ),
        (
            {**EXPECTATIONS, "rated": {"quarantine": 0, "expectations": [{**NULLS, "column_list": ["stars"]}]}},
            "rated.expectations.0: expect_column_values_to_not_be_null has no argument column_list",
        ),
        (
            {
                **EXPECTATIONS,
                "rated": {"quarantine": 0, "expectations": [{k: v for k, v in NULLS.items() if k != "column"}]},
            },
            "rated.expectations.0: expect_column_values_to_not_be_null needs the argument column",
        ),
        (
            {**EXPECTATIONS, "offeredd": {"quarantine": 0}},
            "offeredd: is not an event of this workload; did you mean offered?",
        ),
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
