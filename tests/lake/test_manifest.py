"""The version of a data set depends on its content, and on nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from include.errors import NightjarError
from include.lake.manifest import DatasetManifest, SplitBounds, dataset_manifest, dataset_version, split_summary

CUTOFF = datetime(2013, 3, 1, tzinfo=UTC)
RULE: dict[str, SplitBounds] = {"train": {"from": "2013-02-01T00:00:00.000000Z", "to": "2013-02-20T00:00:00.000000Z"}}
INPUT = {"key": "raw/shop/s/a.gz", "sha256": "1", "known_from": "2013-02-28T23:59:59.999999Z"}
REFERENCE = {"key": "raw/shop/prices/a.gz", "sha256": "9", "known_from": ""}
ROWS = [{"split": "train", "row_count": "10", "positives": "3", "digest": "123", "first_event": "x", "last_event": "y"}]


def manifest(**changes: Any) -> DatasetManifest:
    parts: dict[str, Any] = {
        "workload": "shop",
        "sql": "select 1",
        "cutoff": CUTOFF,
        "split_rule": RULE,
        "feature_code_hash": "abc",
        "inputs": [INPUT],
        "reference_inputs": [REFERENCE],
        "initial_loads": {},
        "missing_days": {},
        "splits": split_summary(ROWS, RULE),
        "location": "s3://lake/datasets/shop/1/",
    }
    return dataset_manifest(**{**parts, **changes})


def test_a_manifest_has_cutoff_splits_and_version() -> None:
    made = manifest()
    assert made["cutoff"] == "2013-03-01T00:00:00.000000Z"
    assert made["splits"] == {"train": {"rows": 10, "positives": 3, "digest": "123", **RULE["train"]}}
    assert made["version"] == dataset_version(made) and len(made["version"]) == 64


def test_the_version_does_not_depend_on_the_location() -> None:
    assert manifest(location="s3://elsewhere/")["version"] == manifest()["version"]


@pytest.mark.parametrize(
    "changes",
    [
        {"sql": "select 2"},
        {"cutoff": datetime(2013, 3, 2, tzinfo=UTC)},
        {"feature_code_hash": "xyz"},
        {"inputs": [{**INPUT, "sha256": "2"}]},
        {"initial_loads": {"prices": date(2013, 3, 2)}},
        {"splits": split_summary([{**ROWS[0], "digest": "124"}], RULE)},
    ],
)
def test_the_version_depends_on_everything_else(changes: dict[str, Any]) -> None:
    assert manifest(**changes)["version"] != manifest()["version"]


def test_an_object_in_which_nothing_was_known_at_the_cut_off_changes_nothing() -> None:
    later = {"key": "raw/shop/s/b.gz", "sha256": "2", "known_from": "2013-03-01T00:00:00.000000Z"}
    assert manifest(inputs=[INPUT, later])["version"] == manifest(inputs=[INPUT])["version"]
    assert manifest(inputs=[later, INPUT])["inputs"] == [{"key": INPUT["key"], "sha256": "1"}]


def test_tables_objects_are_recorded_but_change_no_version() -> None:
    known = {"key": "raw/shop/prices/b.gz", "sha256": "8", "known_from": "2013-02-28T23:59:59.999999Z"}
    later = {"key": "raw/shop/prices/c.gz", "sha256": "7", "known_from": "2013-03-01T00:00:00.000000Z"}
    made = manifest(reference_inputs=[later, known, REFERENCE])
    assert [item["key"] for item in made["reference_inputs"]] == ["raw/shop/prices/a.gz", "raw/shop/prices/b.gz"]
    assert made["version"] == manifest()["version"]


def test_an_object_that_does_not_say_when_it_was_known_is_named() -> None:
    unknown = {**INPUT, "key": "raw/shop/s/b.gz", "known_from": ""}
    assert len(manifest(inputs=[unknown, INPUT])["inputs"]) == 2


def test_initial_loads_are_named_with_their_days() -> None:
    assert manifest(initial_loads={"prices": date(2013, 3, 2)})["initial_loads"] == {"prices": "2013-03-02"}


def test_an_empty_split_is_named() -> None:
    with pytest.raises(NightjarError, match="no rows in train"):
        manifest(splits={})
