"""A small bundle of workload texts, whose two features are its two request fields."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

from include.model import bundle, golden
from include.model.bundle import training_keys
from include.model.bundle.archive import MAX_UNPACKED_BYTES
from include.model.request import RequestSchema
from include.model.score import Scorer
from include.workloads import FieldSpec
from include.workloads.feature_code import load_feature_code

TEXT_FEATURES = b"""
FEATURES = {"text_length": "number", "num_keywords": "number"}


def features(record):
    return {"text_length": record["text_length"], "num_keywords": record["num_keywords"]}
"""
TEXT_REQUEST = {
    "text_length": FieldSpec(type="number", min=0, max=10_000, description="characters", example=120),
    "num_keywords": FieldSpec(type="integer", min=0, max=100, example=3),
}


class Creates:
    """Unpickling an instance creates a folder, as an attacker's model would run code."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.path),)


def text_rows() -> tuple[list[dict[str, Any]], np.ndarray, np.ndarray]:
    """Sixty requests, their features as float64 (60, 2), and their labels."""
    rows = [{"text_length": float(5 + 37 * i % 900), "num_keywords": i % 9} for i in range(60)]
    matrix = np.array([[row["text_length"], row["num_keywords"]] for row in rows])
    return rows, matrix, (matrix[:, 1] > 3).astype(int)


def text_files(model: Any = None, **changes: Any) -> dict[str, bytes]:
    """The files of a bundle that scikit-learn serves.

    ``model`` is pickled in place of the fitted one; ``changes`` go to the manifest.
    """
    rows, matrix, labels = text_rows()
    fitted = LogisticRegression().fit(matrix, labels)
    return seal_text(dump(fitted if model is None else model), golden_lines(rows, fitted), **changes)


def opposite_text_model() -> LogisticRegression:
    """A model that has learned the opposite label."""
    _, matrix, labels = text_rows()
    return LogisticRegression().fit(matrix, 1 - labels)


def packed_texts(model: Any = None, **changes: Any) -> bytes:
    """A packed bundle whose golden rows its own model has scored.

    ``model`` replaces the fitted one; ``changes`` go to the manifest.
    """
    rows, matrix, labels = text_rows()
    fitted = LogisticRegression().fit(matrix, labels) if model is None else model
    return bundle.pack(seal_text(dump(fitted), golden_lines(rows, fitted), **changes))


def golden_lines(rows: list[dict[str, Any]], estimator: Any) -> bytes:
    """``golden.jsonl`` of an estimator of the two features."""
    features = load_feature_code(TEXT_FEATURES).features
    scorer = Scorer(features, dict.fromkeys(TEXT_REQUEST, "number"), {}, estimator, 0.5)
    return golden.format_lines(golden.choose(rows, RequestSchema(TEXT_REQUEST), scorer))


def seal_text(
    model: bytes,
    golden_jsonl: bytes,
    fast_form: dict[str, bytes] | None = None,
    source: bytes = TEXT_FEATURES,
    **changes: Any,
) -> dict[str, bytes]:
    """A bundle with these files; ``source`` is its features.py, ``changes`` replace fields of the manifest."""
    fields: dict[str, Any] = {
        "workload": "texts",
        "dataset_version": "d" * 64,
        "cutoff": "2013-03-01T00:00:00Z",
        "code_sha": "c" * 40,
        "feature_code_hash": bundle.sha256_hex(source),
        "features": {"text_length": "number", "num_keywords": "number"},
        "categories": {},
        "request": TEXT_REQUEST,
        "threshold": 0.5,
        "model": {"kind": "logistic_regression"},
        "libraries": {},
        "metrics": {"auc": 0.9},
    }
    files = {
        bundle.FEATURES: source,
        bundle.GOLDEN: golden_jsonl,
        bundle.MODEL: model,
        bundle.TRAINING_KEYS: training_keys.to_bytes(bundle.key_digests(["a", "b"])),
        **(fast_form or {}),
    }
    return bundle.seal(files, **{**fields, **changes})


def open_bundle(
    packed: bytes, folder: Path, digest: str | None = None, max_bytes: int = MAX_UNPACKED_BYTES
) -> bundle.Bundle:
    """Loads a packed bundle as the service does, from ``bundle.tar.gz`` in ``folder``."""
    path = folder / "bundle.tar.gz"
    path.write_bytes(packed)
    return bundle.open_packed(path, digest or bundle.sha256_hex(packed), folder, max_bytes)


def read_folder(folder: Path) -> dict[str, bytes]:
    """The files of an unpacked bundle."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def dump(model: Any) -> bytes:
    """``model.joblib`` of any object."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()
