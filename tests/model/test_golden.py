from __future__ import annotations

import json

import numpy as np

from include.model import bundle, golden
from include.model.golden import UNKNOWN
from include.model.request import RequestSchema
from include.model.score import Scorer
from include.workloads import FieldSpec
from tests.support.bundles import seal_text, text_files


class Sums:
    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        value = 1 / (1 + np.exp(-np.nansum(matrix, axis=1)))
        return np.column_stack([1 - value, value])


def _changed(files: dict[str, bytes], **change: object) -> bundle.Bundle:
    lines = [json.loads(line) for line in files[bundle.GOLDEN].splitlines()]
    lines[4] |= change
    data = b"\n".join(json.dumps(line).encode() for line in lines)
    return bundle.load(seal_text(files[bundle.MODEL], data))


def _rescore(loaded: bundle.Bundle) -> golden.GoldenResult:
    return golden.rescore(loaded.golden, loaded.schema, loaded.scorer)


def test_golden_rows_that_score_as_in_training():
    result = _rescore(bundle.load(text_files()))
    assert result.ok and result.max_difference <= 1e-12 and result.reason is None


def test_a_wrong_probability():
    result = _rescore(_changed(text_files(), probability=0.123))
    assert not result.ok and result.reason and "golden row 5 scores" in result.reason


def test_a_wrong_prediction():
    files = text_files()
    prediction = json.loads(files[bundle.GOLDEN].splitlines()[4])["prediction"]
    assert not _rescore(_changed(files, prediction=1 - prediction)).ok


def test_a_golden_row_that_is_not_a_valid_request():
    result = _rescore(_changed(text_files(), request={"text_length": True, "num_keywords": 3}))
    assert not result.ok and result.reason and "golden row 5 is not a valid request: text_length" in result.reason


def test_chosen_rows_are_deterministic_and_cover_missing_and_unknown_values():
    schema = RequestSchema({"colour": FieldSpec(type="string"), "size": FieldSpec(type="number", nullable=True)})
    kinds = {"colour": "category", "size": "number"}
    scorer = Scorer(lambda record: dict(record), kinds, {"colour": ["blue", "red"]}, Sums(), 0.5)
    records = [{"colour": ("red", "blue")[i % 2], "size": None if i == 17 else (i - 20) / 5} for i in range(40)]
    rows = golden.choose(records, schema, scorer)
    assert rows == golden.choose(records, schema, scorer)
    assert len(rows) >= golden.MINIMUM_GOLDEN_ROWS
    assert any(row.request["size"] is None for row in rows)
    assert any(row.request["colour"] == UNKNOWN for row in rows)
    probabilities = scorer.probabilities(records)
    assert {probabilities.min(), probabilities.max()} <= {row.probability for row in rows}


def test_few_validation_rows_are_repeated():
    schema = RequestSchema({"size": FieldSpec(type="number")})
    scorer = Scorer(lambda record: dict(record), {"size": "number"}, {}, Sums(), 0.5)
    assert len(golden.choose([{"size": 1.0}, {"size": -1.0}], schema, scorer)) >= golden.MINIMUM_GOLDEN_ROWS
