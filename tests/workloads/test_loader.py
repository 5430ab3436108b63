"""A workload folder loads, or every mistake in it is named by file and field."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from include.workloads import WorkloadError, discover, load
from tests.support.tiny_workload import EXPECTATIONS, FEATURES, document, tiny_workload, write_workload

REPOSITORY = Path(__file__).parents[2]


def refusal(root: Path, **parts) -> str:
    """The text of the error that a folder made of ``parts`` raises, with paths relative to the root."""
    write_workload(root, **parts)
    with pytest.raises(WorkloadError) as caught:
        load("shop", root)
    return str(caught.value).replace(f"{root}/", "")


def test_a_valid_folder_loads_whole(tmp_path: Path) -> None:
    workload = tiny_workload(tmp_path)
    assert workload.name == "shop"
    assert workload.feature_event == "offered"
    assert workload.stream.name == "nightjar-shop"
    assert workload.joins[0].lead == timedelta(hours=1)
    assert workload.features == {"price": "number", "item": "category", "maker": "category"}
    assert workload.features_module().features({"price": 3.0, "item": "a", "maker_name": None})["price"] == 1.5
    assert workload.feature_code_hash() == hashlib.sha256(FEATURES.encode()).hexdigest()
    assert workload.suites["offered"].expectations[0].arguments == {"column": "item", "mostly": 0.95}
    assert json.dumps(workload.request_schema())


def test_on_in_yaml_is_a_word_and_not_true(tmp_path: Path) -> None:
    text = (REPOSITORY / "include/workloads/flights/workload.yaml").read_text()
    assert "on: {origin: origin}" in text
    assert load("flights").joins[0].on == {"origin": "origin"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"quality__metric": "accuracy"}, "shop/workload.yaml: quality.metric: Input should be 'auc'"),
        ({"owner": ...}, "shop/workload.yaml: owner: Field required"),
        ({"colour": "red"}, "shop/workload.yaml: colour: Extra inputs are not permitted"),
        ({"name": "other"}, "shop/workload.yaml: name: is the folder's name"),
        ({"dataset__train_days": 0}, "shop/workload.yaml: dataset.train_days: "),
        (
            {"model__unknown_category": "refuse"},
            "shop/workload.yaml: model.unknown_category: Input should be 'missing'",
        ),
        ({"events__offered__schema__price__type": "float"}, "shop/workload.yaml: events.offered.schema.price.type: "),
        ({"events__offered__schema__price__min": 2000}, "events.offered.schema.price: min 2000 is above max 1000"),
        ({"events__offered__schema__item__min": 1}, "min and max are for integer and number, not for string"),
        ({"events__offered__schema__item__example": 7}, "events.offered.schema.item: example 7 is not a string"),
        ({"events__rated__schema__stars__enum": [1, "two"]}, "enum value 'two' is not an integer"),
        (
            {"events__rated__role": "features"},
            "events: exactly one event has the role features, not 2 (offered, rated)",
        ),
        ({"events__rated": ...}, "events: exactly one event has the role label, not 0"),
        (
            {"events__rated__schema__known_at": {"type": "timestamp"}},
            "events.rated.schema.known_at: is a name the platform uses",
        ),
        ({"database": ...}, "database: is missing: tables are read from one"),
        ({"tables__makers__key": ["id"]}, "tables.makers.key: id is not in the table's schema"),
        ({"tables__makers__valid_from": "name"}, "tables.makers.valid_from: name must be a timestamp"),
        ({"tables__makers__watermark": "gone"}, "tables.makers.watermark: gone must be a timestamp"),
        (
            {"tables__offered": document()["tables"]["makers"]},
            "tables.offered: has the name of the stream or of an event",
        ),
        ({"joins__0__table": "shops"}, "joins.0.table: shops is not in tables"),
        ({"joins__0__fields": ["age"]}, "joins.0.fields: age is not in the schema of the table makers"),
        ({"joins__0__on": {"item": "thing"}}, "joins.0.on.item: thing is not a field of the event offered"),
        ({"joins__0__on": {"item": "price"}}, "joins.0.on.item: is string, and price is number"),
        ({"joins__0__on": {"name": "item"}}, "joins.0.on: must name the table's whole key: item"),
        ({"joins__0__lead": "-PT1H"}, "joins.0.lead: "),
        (
            {"joins__0__prefix": "", "joins__0__fields": ["item"]},
            "joins.0.prefix: there is already a request field item",
        ),
        ({"joins__0__prefix": "f_"}, "joins.0.prefix: f_name is a name the platform uses"),
        (
            {"events__offered__schema__f_price": {"type": "number"}},
            "events.offered.schema.f_price: is a name the platform uses",
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
        ("", "must hold a mapping"),
        ("owner: [", "is not YAML (line 1)"),
        ("owner: a\nowner: b\n", "is not YAML (line 2): the key 'owner' is there twice"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    assert f"shop/workload.yaml: {expected}" in refusal(tmp_path, workload=text)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(:", "features.py: is not Python"),
        ("import numpy\n", "features.py: imports numpy: features are computed with the standard library alone"),
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


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = refusal(tmp_path, workload=document(owner=..., quality__bar=2), features="import numpy\n")
    assert len(text.splitlines()) == 3


def test_discover_gives_the_good_and_names_the_bad(tmp_path: Path) -> None:
    write_workload(tmp_path, "good")
    write_workload(tmp_path, "bad", document(owner=...))
    (tmp_path / "empty").mkdir()
    (tmp_path / "__pycache__").mkdir()
    workloads, errors = discover(tmp_path)
    assert [workload.name for workload in workloads] == ["good"]
    assert [error.workload for error in errors] == ["bad", "empty"]
    assert "empty/workload.yaml: does not exist" in str(errors[1])


def test_the_projects_own_workloads_load() -> None:
    workloads, errors = discover()
    assert errors == []
    assert "flights" in [workload.name for workload in workloads]


def test_loads_from_a_zip_archive_as_on_glue(tmp_path: Path) -> None:
    archive = tmp_path / "include.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (REPOSITORY / "include").rglob("*"):
            if path.suffix in (".py", ".yaml") and "glue" not in path.parts:
                file.write(path, path.relative_to(REPOSITORY))
    code = (
        "import include, include.workloads as w; print(include.__file__, w.load('flights').name, len(w.discover()[0]))"
    )
    environment = {"PYTHONPATH": str(archive)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    file, name, found = done.stdout.split()
    assert file.startswith(str(archive)) and name == "flights" and int(found) >= 1


def test_importing_is_light() -> None:
    code = (
        "import sys, include.workloads as w; w.load('flights');"
        "print(sorted({'pandas', 'numpy', 'pyarrow', 'boto3', 'airflow', 'pyspark'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
