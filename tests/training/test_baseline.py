"""The baseline of a bundle: what training counts, and that it is a checked member of the bundle."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from include.model import bundle
from include.model.baseline import Baseline, bin_of
from include.training import baseline, data
from include.training.baseline_columns import Values, counted
from include.training.baseline_relations import related
from include.workloads import load
from tests.support.training_inputs import make_flights

WORKLOAD = load("flights")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    root = tmp_path_factory.mktemp("ml")
    make_flights(root, last=datetime(2013, 3, 1, tzinfo=UTC))
    return data.read_split(root / "input/data/train")


@pytest.fixture(scope="module")
def made(rows: pa.Table) -> Baseline:
    scored = rows.slice(rows.num_rows - 400)
    found: Baseline = json.loads(baseline.make(WORKLOAD, rows, WORKLOAD.request, scored, np.linspace(0, 1, 400)))
    return found


def test_every_row_is_counted_in_the_bin_of_its_value(rows: pa.Table, made: Baseline) -> None:
    assert made["rows"] == rows.num_rows and [*made["features"]] == sorted(WORKLOAD.features)
    for prefix, columns in (("f_", made["features"]), ("", made["fields"])):
        for name, column in columns.items():
            expected = Counter(bin_of(column, value) for value in rows[prefix + name].to_pylist())
            assert {key: number for key, number in column["counts"].items() if number} == expected, name


def test_labels_and_scores(rows: pa.Table, made: Baseline) -> None:
    positives = sum(rows["label"].to_pylist())
    assert (made["label"]["rows"], made["label"]["positives"]) == (rows.num_rows, positives)
    assert sum(made["score"]["counts"].values()) == 400
    assert made["block_days"] > 1, "35 rows a day are too few for a block"


def test_the_document_does_not_depend_on_the_order_of_rows(rows: pa.Table) -> None:
    order = np.random.default_rng(3).permutation(rows.num_rows)
    arguments = (WORKLOAD.request, rows.slice(0, 50), np.linspace(0, 1, 50))
    assert baseline.make(WORKLOAD, rows.take(order), *arguments) == baseline.make(WORKLOAD, rows, *arguments)


def days(rows_a_day: int, number: int) -> np.ndarray:
    return np.repeat(np.arange(number), rows_a_day)


def test_blocks_say_how_much_days_differ_from_each_other() -> None:
    generator, blocks = np.random.default_rng(1), days(200, 20)
    alike = counted(Values.of_numbers(generator.normal(size=4000)), blocks)["blocks"]
    shifted = counted(
        Values.of_numbers(generator.normal(size=4000) + 3 * np.repeat(generator.normal(size=20), 200)), blocks
    )
    assert alike["psi"] < 0.25 < 1 < shifted["blocks"]["psi"]
    assert alike["chi_mean"] == pytest.approx(9, rel=0.5) and shifted["blocks"]["chi_mean"] > 100
    assert alike["mean"][0] == pytest.approx(0, abs=0.3) and alike["spread"][1] == pytest.approx(1, rel=0.3)


def test_few_blocks_say_nothing() -> None:
    assert "blocks" not in counted(Values.of_numbers(np.arange(100.0)), days(25, 4))


def test_a_category_that_only_one_day_has_counts_as_unknown_there() -> None:
    texts = pa.chunked_array([["a", "b"] * 99 + ["only"] * 2])
    column = counted(Values.of(texts, is_number=False), days(20, 10))
    assert column["values"] == ["a", "b", "only"]
    assert column["blocks"]["unknown"] == pytest.approx(2 / 20)


def test_a_text_with_very_many_values_is_not_kept() -> None:
    column = counted(Values.of(pa.chunked_array([[f"T{n}" for n in range(5000)]]), is_number=False), days(500, 10))
    assert column["kind"] == "text" and "T1" not in json.dumps(column)


def test_related_columns_are_found_and_unrelated_ones_are_not() -> None:
    generator, blocks = np.random.default_rng(2), days(200, 10)
    miles = generator.uniform(100, 2000, 2000)
    town = np.array(["near", "far"])[(miles > 1000).astype(int)]
    values = {
        "miles": Values.of_numbers(miles),
        "minutes": Values.of_numbers(miles / 8 + generator.normal(0, 5, 2000)),
        "noise": Values.of_numbers(generator.normal(size=2000)),
        "town": Values.of(pa.chunked_array([town.tolist()]), is_number=False),
    }
    found = related(values, {name: counted(one, blocks) for name, one in values.items()}, blocks)
    assert found["miles"]["with"] == "minutes" and found["minutes"]["range"][0] > 0.99
    assert found["town"]["of"] == "town" and found["town"]["codes"]["near"] < 1000 < found["town"]["codes"]["far"]
    assert "noise" not in found


def test_a_bundle_has_it_and_checks_it_and_older_bundles_have_none(tmp_path: Path) -> None:
    from tests.support.bundles import open_bundle, text_files

    files = text_files()
    old = {name: content for name, content in files.items() if name != bundle.MANIFEST}
    fields = json.loads(files[bundle.MANIFEST])
    for name in ("format", "files", "engine"):
        fields.pop(name)
    sealed = bundle.seal({**old, bundle.BASELINE: b"{}"}, **fields)
    assert bundle.verify(sealed).files[bundle.BASELINE].bytes == 2
    assert open_bundle(bundle.pack(sealed), tmp_path).manifest.files.keys() >= {bundle.BASELINE}
    assert bundle.BASELINE not in bundle.verify(files).files
    with pytest.raises(bundle.BundleError, match=bundle.BASELINE):
        bundle.verify({**sealed, bundle.BASELINE: b"[]"})
