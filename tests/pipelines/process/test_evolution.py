"""What a declaration may change of the columns that are published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.errors import RefusedError
from include.pipelines.process.evolution import evolved_columns, require_compatible_schema, schema_problems
from include.workloads import Workload, load
from include.workloads.schema import Columns, processed_columns
from tests.support.tiny_workload import FEATURES, tiny_workload, write_workload


class Catalog:
    """The tables of a workload as it was declared before."""

    def __init__(self, workload: Workload | None = None) -> None:
        self.tables: dict[str, Columns] = {}
        if workload:
            self.tables = {f"shop_{event}": processed_columns(workload, event) for event in workload.events}

    def columns(self, table: str) -> Columns | None:
        return self.tables.get(table)


@pytest.fixture
def before(tmp_path: Path) -> Workload:
    return tiny_workload(tmp_path / "before")


def problems(before: Workload, folder: Path, **changes: Any) -> list[str]:
    return list(schema_problems(tiny_workload(folder, **changes), Catalog(before)))


SIZE = "events__offered__schema__size"
FITTING: list[dict[str, Any]] = [
    {},
    {SIZE: {"type": "number", "nullable": True}},
    {"events__rated__schema__text": {"type": "string", "nullable": True}},
    {"events__offered__schema__stock": ...},  # removed
    {"events__offered__schema__price__max": 5000, "events__offered__schema__price__description": "in euros"},
    {"tables__makers__schema__land": {"type": "string"}, "joins__0__fields": ["name", "land"]},
]
PLACE = "include/workloads/shop/workload.yaml: events."
UNFIT: list[tuple[dict[str, Any], str, str]] = [
    ({SIZE: {"type": "number"}}, "offered.schema.size: is new and not nullable", "Write nullable: true"),
    ({"events__offered__schema__stock__type": "number"}, "offered.schema.stock: is double, but bigint", "another name"),
    ({"events__rated__schema__stars": {"type": "number", "nullable": True}}, "rated.schema.stars: is double", "or its"),
]


@pytest.mark.parametrize("changes", FITTING)
def test_a_new_optional_column_a_removed_one_and_other_limits_fit(
    before: Workload, tmp_path: Path, changes: dict[str, Any]
) -> None:
    assert problems(before, tmp_path, **changes) == []


@pytest.mark.parametrize(("changes", "text", "advice"), UNFIT)
def test_a_changed_type_and_a_new_required_column_are_refused_by_name(
    before: Workload, tmp_path: Path, changes: dict[str, Any], text: str, advice: str
) -> None:
    (problem,) = problems(before, tmp_path, **changes)
    assert problem.startswith(PLACE + text) and advice in problem
    with pytest.raises(RefusedError, match="does not fit the published days"):
        require_compatible_schema(tiny_workload(tmp_path / "again", **changes), Catalog(before))


def test_a_feature_of_another_kind_is_refused(before: Workload, tmp_path: Path) -> None:
    write_workload(
        tmp_path,
        features=FEATURES.replace('"item": "category"', '"item": "number"').replace(
            '"item": record["item"]', '"item": 1.0'
        ),
    )
    (problem,) = schema_problems(load("shop", tmp_path), Catalog(before))
    assert problem.startswith("include/workloads/shop/features.py: f_item: is double, but string in")


def test_a_joined_column_is_named_by_its_table(before: Workload) -> None:
    catalog = Catalog(before)
    catalog.tables["shop_offered"] = [("maker_name", "bigint")]
    problem = next(text for text in schema_problems(before, catalog) if "nullable" not in text)
    assert problem.startswith(
        "include/workloads/shop/workload.yaml: tables.makers.schema.name: is string, but bigint in"
    )


def test_before_anything_is_published_everything_fits(tmp_path: Path) -> None:
    require_compatible_schema(tiny_workload(tmp_path, **UNFIT[0][0]), Catalog())


def test_a_removed_column_keeps_its_place_and_a_type_that_it_had(before: Workload, tmp_path: Path) -> None:
    published = processed_columns(before, "offered")
    changed = tiny_workload(
        tmp_path, **{SIZE: {"type": "number", "nullable": True}, "events__offered__schema__stock": ...}
    )
    evolved = evolved_columns(processed_columns(changed, "offered"), published)
    assert evolved == [*published, ("size", "double")]
    assert evolved_columns(published, None) == published
    later = Catalog()
    later.tables = {"shop_offered": evolved}
    again = tiny_workload(tmp_path / "again", events__offered__schema__stock__type="string")
    (problem,) = schema_problems(again, later)
    assert "stock: is string, but bigint in" in problem
