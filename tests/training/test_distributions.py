from __future__ import annotations

import numpy as np
import pytest

from include.training.distributions import BINS, CATEGORIES, OTHERS, distributions


def test_a_number_is_binned_between_its_percentiles():
    column = np.r_[np.linspace(0, 1, 999), 1e6, np.full(250, np.nan)]
    found = distributions(column[:, None], {"x": "number"}, {})["x"]
    assert (found["kind"], len(found["shares"]), len(found["labels"])) == ("number", BINS, BINS)
    assert found["missing"] == pytest.approx(0.2)
    assert sum(found["shares"]) == pytest.approx(1)
    assert max(found["shares"]) < 0.1, "one outlier does not squeeze the rest into one bin"


@pytest.mark.parametrize(("values", "shares"), [([np.nan] * 4, []), ([2.0] * 3 + [np.nan], [1.0])])
def test_a_constant_and_an_empty_column_have_at_most_one_bin(values: list, shares: list):
    found = distributions(np.array(values)[:, None], {"x": "number"}, {})["x"]
    assert found["shares"] == shares and len(found["labels"]) == len(shares)


def test_a_category_names_its_most_frequent_values():
    values = [f"v{code:02}" for code in range(20)]
    codes = np.repeat(np.arange(20.0), np.arange(20, 0, -1))
    column = np.r_[codes, np.full(len(codes), np.nan)]
    found = distributions(column[:, None], {"x": "category"}, {"x": values})["x"]
    assert found["missing"] == 0.5
    assert found["labels"] == [*values[:CATEGORIES], OTHERS]
    assert found["shares"][0] == pytest.approx(20 / len(codes)) and sum(found["shares"]) == pytest.approx(1)


def test_a_category_of_unknown_values_only_has_no_share():
    found = distributions(np.full((3, 1), np.nan), {"x": "category"}, {"x": ["a"]})["x"]
    assert (found["missing"], found["labels"], found["shares"]) == (1.0, ["a"], [0.0])
