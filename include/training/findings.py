"""What training and evaluation jobs say in MLflow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from include.model.bundle.manifest import Manifest
from include.model.evaluation import Evaluation, ModelEvaluation, Point

METRICS = ("auc", "auc_low", "auc_high", "average_precision", "log_loss", "brier", "accuracy")


@dataclass(frozen=True)
class Findings:
    """What a job adds to the run of a training job.

    Attributes:
        workload: The workload, whose runs are one experiment.
        job: Name of the training job.
        parameters: Parameters; a repetition must give the same values.
        metrics: Metrics.
        curves: Metrics with a value for each step.
        tags: Digests and versions.
        documents: File name → its text.
    """

    workload: str
    job: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)


def of_training(job: str, manifest: Manifest, *, rows: Mapping[str, int]) -> Findings:
    """Returns what the training job has found: its bundle's manifest.

    Args:
        job: Name of the training job.
        manifest: The manifest of the bundle.
        rows: Rows of each split.
    """
    model = manifest.model
    return Findings(
        workload=manifest.workload,
        job=job,
        parameters={
            "kind": model["kind"],
            "seed": model["seed"],
            **{f"model.{name}": value for name, value in model["hyperparameters"].items()},
            **{f"rows.{split}": number for split, number in rows.items()},
            "features": len(manifest.features),
        },
        metrics={f"validation_{name}": value for name, value in manifest.metrics.items()},
        tags={
            "nightjar.workload": manifest.workload,
            "nightjar.dataset_version": manifest.dataset_version,
            "nightjar.cutoff": manifest.cutoff,
            "nightjar.code_sha": manifest.code_sha,
            "nightjar.feature_code_hash": manifest.feature_code_hash,
            "nightjar.engine": manifest.engine,
            **({"nightjar.device": model["device"]} if "device" in model else {}),
        },
    )


def of_evaluation(job: str, evaluation: Evaluation, text: str) -> Findings:
    """Returns what the evaluation job adds: the candidate on the test set.

    Args:
        job: Name of the candidate's training job.
        evaluation: The document.
        text: The document as it is stored.
    """
    candidate, difference = evaluation["candidate"], evaluation["difference"]
    metrics = {f"test_{name}": value for name in METRICS if (value := _number(candidate, name)) is not None}
    if difference is not None:
        compared = {"auc": difference["auc"], "low": difference["low"], "high": difference["high"]}
        metrics |= {f"champion_difference_{name}": value for name, value in compared.items() if value is not None}
    for group, slices in candidate["slices"].items():
        metrics |= {f"test_auc/{group}/{_safe(value)}": found["auc"] for value, found in slices.items()}
    for entry in (evaluation["importance"] or {"features": []})["features"]:
        metrics[f"importance/{entry['feature']}"] = entry["drop"]
    return Findings(
        workload=evaluation["workload"],
        job=job,
        metrics=metrics,
        curves={
            "roc_true_positive_rate": _by_percent(candidate["roc"]),
            "precision_at_recall": _by_percent(candidate["precision_recall"]),
            "observed_rate_at_predicted": {
                round(100 * one["predicted"]): one["observed"] for one in candidate["calibration"]
            },
        },
        tags={
            "nightjar.workload": evaluation["workload"],
            "nightjar.dataset_version": evaluation["dataset_version"],
            "nightjar.bundle_digest": evaluation["bundle_digest"],
            "nightjar.champion_digest": evaluation["champion_digest"] or "none",
        },
        documents={"evaluation.json": text},
    )


def _by_percent(points: Sequence[Point]) -> dict[int, float]:
    """The curve's y at each whole per cent of x that has a point; of several, the last."""
    return {round(100 * x): y for x, y in points}


def _number(model: ModelEvaluation, name: str) -> float | None:
    value: Any = model.get(name)
    return float(value) if _is_number(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _safe(value: str) -> str:
    """MLflow's metric names have letters, digits and some signs."""
    return "".join(sign if sign.isalnum() or sign in "_-. " else "_" for sign in value)
