"""A bundle of a workload whose requests may give the text, or the two features that are computed from it."""

from __future__ import annotations

from typing import Any

from sklearn.linear_model import LogisticRegression

from include.model import golden
from include.model.request import RequestSchema
from include.model.score import Scorer
from include.workloads import FieldSpec
from include.workloads.feature_code import load_feature_code
from include.workloads.request_features import or_given
from tests.support.bundles import dump, seal_text

SOURCE = b"""
FEATURES = {"text_length": "number", "num_keywords": "number"}


def features(record):
    text = record["text"]
    return {"text_length": float(len(text)), "num_keywords": float(text.split().count("bad"))}
"""
KINDS = {"text_length": "number", "num_keywords": "number"}
REQUEST = {
    "text": FieldSpec(type="string", example="a bad day"),
    "channel": FieldSpec(type="string", nullable=True),
}
GIVEN = {
    "text_length": FieldSpec(type="integer", min=0, max=1000, example=120),
    "num_keywords": FieldSpec(type="integer", min=0, max=20, example=3),
}
TEXTS = [{"text": "x" * (7 * i % 50) + " bad" * (i % 5), "channel": None} for i in range(40)]
SCHEMA = RequestSchema(REQUEST, (), GIVEN)


def scorer() -> Scorer:
    """The model behind its feature code, as training makes it."""
    features = or_given(load_feature_code(SOURCE).features, GIVEN)
    rows = [list(features(text).values()) for text in TEXTS]
    fitted = LogisticRegression().fit(rows, [int(i % 5 > 2) for i in range(40)])
    return Scorer(features, KINDS, {}, fitted, 0.5)


def files(**changes: Any) -> dict[str, bytes]:
    """The files of the bundle; ``changes`` replace fields of the manifest."""
    made = scorer()
    rows = golden.format_lines(golden.choose(TEXTS, SCHEMA, made))
    request = {"request": REQUEST, "request_features": GIVEN}
    return seal_text(dump(made.model), rows, source=SOURCE, **{**request, **changes})
