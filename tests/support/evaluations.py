"""Documents as the evaluation job writes them, and the versions that they are of."""

from __future__ import annotations

from typing import Any, cast

from include.model.evaluation import Evaluation
from include.pipelines.card import CardFacts
from include.pipelines.promotion.packages import Package, PackageMetadata
from include.workloads import Workload, load

HOSTILE = "<script>alert('1')</script>&\"]]>"


def model_evaluation(auc: float, values: tuple[str, ...] = ("AA", "UA")) -> dict[str, Any]:
    """One model on a test set of 900 rows, whose slices are all as good as the whole."""
    measured = {"auc": auc, "auc_low": auc - 0.01, "auc_high": auc + 0.01}
    slices = {value: {**measured, "rows": 300, "positive_rate": 0.2} for value in values}
    return {
        **measured,
        "average_precision": 0.41,
        "log_loss": 0.5,
        "brier": 0.16,
        "accuracy": 0.78,
        "positive_rate": 0.21,
        "predicted_rate": 0.05,
        "intervals": {"brier": {"low": 0.15, "high": 0.17}},
        "rows": 900,
        "slices": {
            "carrier": slices,
            "origin": {"EWR": {**measured, "rows": 900, "positive_rate": 0.2}},
            "distance": {"below 500": {**measured, "rows": 900, "positive_rate": 0.2}},
        },
        "slices_not_measured": {"carrier": {"HA": "20 rows, fewer than 200"}, "origin": {}, "distance": {}},
        "calibration": [
            {"from": 0.1, "to": 0.2, "rows": 500, "predicted": 0.14, "observed": 0.13},
            {"from": 0.2, "to": 0.3, "rows": 400, "predicted": 0.24, "observed": 0.27},
        ],
        "roc": [[0.0, 0.0], [0.2, 0.5], [1.0, 1.0]],
        "precision_recall": [[0.0, 1.0], [0.5, 0.4], [1.0, 0.21]],
    }


def evaluation(auc: float = 0.70, champion: float | None = None, **more: Any) -> Evaluation:
    """A document of flights."""
    split = {"rows": 900, "positives": 189, "first": "2013-04-25T00:00:00Z", "end": "2013-05-02T00:00:00Z"}
    difference = None
    if champion is not None:
        difference = {"auc": auc - champion, "low": auc - champion - 0.005, "high": auc - champion + 0.005}
    document = {
        "candidate": model_evaluation(auc),
        "champion": None if champion is None else model_evaluation(champion),
        "difference": difference,
        "bundle_digest": "d1",
        "champion_digest": None if champion is None else "d3",
        "dataset_version": "v1",
        "cutoff": "2013-05-02T00:00:00Z",
        "workload": "flights",
        "bootstrap": {"resamples": 1000, "seed": 13},
        "dataset": {"splits": {"train": {**split, "rows": 40000}, "test": split}, "missing_days": {}},
        "model": {
            "kind": "hist_gradient_boosting",
            "seed": 13,
            "hyperparameters": {"max_iter": 300},
            "threshold": 0.5,
            "engine": "onnxruntime",
            "features": {"carrier": "category", "distance": "number"},
            "code_sha": "c" * 40,
            "feature_code_hash": "f" * 64,
            "libraries": {"scikit-learn": "1.9.0", "python": "3.12.1"},
        },
        "importance": {
            "rows": 900,
            "repeats": 3,
            "features": [
                {"feature": "distance", "drop": 0.05, "deviation": 0.002},
                {"feature": "carrier", "drop": -0.001, "deviation": 0.001},
            ],
        },
        "distributions": {
            "rows_of": "test",
            "features": {
                "carrier": {"kind": "category", "missing": 0.0, "labels": ["UA", "AA"], "shares": [0.6, 0.4]},
                "distance": {
                    "kind": "number",
                    "missing": 0.25,
                    "labels": ["10 to 90", "90 to 170"],
                    "shares": [0.3, 0.7],
                },
            },
        },
        **more,
    }
    return cast("Evaluation", document)


METADATA: dict[str, str] = {
    "workload": "flights",
    "dataset_version": "v1",
    "code_sha": "c" * 40,
    "image": "training:1",
    "feature_code_hash": "f" * 64,
    "data_cutoff": "2013-05-02T00:00:00Z",
    "bundle_digest": "d1",
    "bundle_uri": "s3://artifact/jobs/e/bundle.tar.gz",
    "auc": "0.700000",
    "auc_low": "0.690000",
    "auc_high": "0.710000",
    "champion": "none",
    "auc_difference": "none",
    "decision": "promoted",
    "decision_uri": "s3://artifact/decisions/flights/e.json",
    "decision_sha256": "1" * 64,
    "evaluation_uri": "s3://artifact/jobs/e/evaluation.json",
    "evaluation_sha256": "2" * 64,
    "cost_usd": "0.0196",
    "backfilled": "false",
    "day": "2013-05-01",
}


def card_facts(document: Evaluation | None = None, workload: Workload | None = None, **metadata: str) -> CardFacts:
    """The facts of version 7 of flights."""
    package = Package(
        version=7,
        arn="arn:aws:sagemaker:us-east-1:123456789012:model-package/nightjar-flights/7",
        status="Approved",
        description="",
        metadata=cast("PackageMetadata", METADATA | metadata),
    )
    return CardFacts(
        workload or load("flights"),
        package,
        document or evaluation(),
        ["The candidate's AUC 0.7000 reaches the bar 0.6000.", "There is no champion to compare with."],
        {"training": "nj-flights-train-k"},
    )
