"""Tuned values as the text of a version's metadata, which SageMaker takes with few characters only."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from include.workloads.tuning import RangeSpec, TuningSpec, read_tuned, tuned_text, tuning_problems

# Of CustomerMetadataValue in SageMaker's API.
TAKEN = re.compile(r"[\w\s.:/=+\-@]{1,256}")
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9) | st.booleans()
WORDS = st.sampled_from(["sqrt", "log_loss", "l2", "no-interactions"])


@given(st.dictionaries(st.sampled_from(["learning_rate", "max_iter", "loss"]), NUMBERS | WORDS, min_size=1))
def test_values_come_back_as_they_were(values: dict[str, Any]) -> None:
    assert read_tuned(tuned_text(values)) == values
    assert TAKEN.fullmatch(tuned_text(values))


@pytest.mark.parametrize("value", ["a b", "true", "1", "", "x=1", '"'])
def test_a_text_that_would_not_come_back_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="must be a word"):
        RangeSpec(values=(value,))


def test_more_values_than_the_metadata_keeps_are_refused() -> None:
    kept = {name: {"min": 0.1, "max": 0.2} for name in ("learning_rate", "l2_regularization", "max_features", "tol")}
    assert list(tuning_problems("hist_gradient_boosting", spec(kept))) == []
    long = {"x" * 40: {"min": 0, "max": 1}, "y" * 60: {"min": 0, "max": 1}, "z" * 60: {"min": 0, "max": 1}}
    problems = dict(tuning_problems("hist_gradient_boosting", spec({**kept, **long})))
    assert "256 can be kept" in problems["tuning.ranges"]


def spec(ranges: dict[str, Any]) -> TuningSpec:
    return TuningSpec.model_validate({"ranges": ranges, "budget_usd": 1})
