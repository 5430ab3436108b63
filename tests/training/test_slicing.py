from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from include.training.container import JobError
from include.training.slicing import LISTED, measure_slices, slice_names
from include.workloads.training import SliceSpec

ITEM = SliceSpec(field="item", margin=0.1, minimum=3)


def test_a_slice_needs_a_minimum_size_and_both_classes():
    labels = np.array([0, 1, 0, 1, 1, 1, 0], dtype=np.int8)
    names = slice_names(pa.table({"item": ["a", "a", "a", "b", "b", "b", None]}), ITEM)
    probabilities = np.array([0.1, 0.9, 0.2, 0.5, 0.6, 0.7, 0.3])
    measured, skipped = measure_slices(labels, probabilities, names, ITEM, resamples=100, seed=1)
    assert measured.keys() == {"a"}
    assert (measured["a"]["rows"], measured["a"]["auc"]) == (3, 1.0)
    assert measured["a"]["positive_rate"] == pytest.approx(1 / 3)
    assert skipped == {"b": "all 3 labels are 1", "(missing)": "1 rows, fewer than 3"}


def test_a_slice_has_an_interval_of_its_own_rows():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 600).astype(np.int8)
    names = np.repeat(["few", "many"], [60, 540])
    probabilities = np.clip(labels * 0.2 + generator.normal(0.4, 0.2, 600), 0, 1)
    measured, _ = measure_slices(labels, probabilities, names, ITEM, resamples=300, seed=1)
    width = {}
    for name, found in measured.items():
        chosen = names == name
        assert found["auc"] == pytest.approx(roc_auc_score(labels[chosen], probabilities[chosen]))
        assert found["auc_low"] is not None and found["auc_high"] is not None
        assert found["auc_low"] < found["auc"] < found["auc_high"]
        width[name] = found["auc_high"] - found["auc_low"]
    assert width["few"] > 2 * width["many"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 499.9, 500.0, 999.0, 1000.0, None, float("nan")], ["below 500"] * 2 + ["500 to 1000"] * 2),
        ([1, 499, 500, 999, 1000, None, None], ["below 500"] * 2 + ["500 to 1000"] * 2),
    ],
)
def test_a_number_is_cut_at_its_edges(values: list, expected: list):
    spec = SliceSpec(field="distance", margin=0.1, minimum=1, edges=(500, 1000))
    names = slice_names(pa.table({"distance": values}), spec)
    assert names.tolist() == [*expected, "from 1000", "(missing)", "(missing)"]


def test_integers_and_booleans_are_slices_by_value():
    rows = pa.table({"hour": [5, 6, None], "express": [True, False, None]})
    assert slice_names(rows, SliceSpec(field="hour", margin=0, minimum=1)).tolist() == ["5", "6", "(missing)"]
    assert slice_names(rows, SliceSpec(field="express", margin=0, minimum=1)).tolist() == ["True", "False", "(missing)"]


def test_a_field_with_thousands_of_values_names_only_some():
    labels = np.tile([0, 1], 500).astype(np.int8)
    names = np.array([f"v{index:03}" for index in range(1000)])
    measured, skipped = measure_slices(labels, np.full(1000, 0.5), names, ITEM, resamples=100, seed=1)
    assert not measured and len(skipped) == LISTED + 1
    assert skipped["(950 more)"] == "too many values to name"


def test_a_field_that_the_test_set_lacks_is_refused():
    with pytest.raises(JobError, match=r"no column item, which quality\.slices"):
        slice_names(pa.table({"other": [1]}), ITEM)
