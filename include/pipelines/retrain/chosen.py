"""Which model of a tuned run goes on: the baseline, or the best trial. By the validation split alone."""

from __future__ import annotations

import json
from typing import Any, TypedDict

from include.pipelines.retrain.finished import FinishedJobs, FinishedTraining, FinishedTuning
from include.pipelines.retrain.tuning import OBJECTIVE


class TuningRecord(TypedDict):
    """What the decision's document says about tuning. AUC: of the validation split.

    Attributes:
        job_name: The tuning job.
        baseline: The AUC of the baseline, and the values that it had in place of the workload's.
        trials: Every trial: name, status, tuned values, AUC (None if it has none), seconds.
        best: The AUC and the tuned values of the best trial.
        chosen: ``baseline`` or ``trial``: which of the two was evaluated on the test set.
    """

    job_name: str
    baseline: dict[str, Any]
    trials: list[dict[str, Any]]
    best: dict[str, Any]
    chosen: str


def chosen_model(training: FinishedTraining, tuning: FinishedTuning | None) -> str:
    """Returns the S3 URI of the model that is evaluated: the best trial's if it is better than the baseline."""
    return tuning["model_uri"] if tuning and _is_better(training, tuning) else training["model_uri"]


def chosen_values(jobs: FinishedJobs, baseline: dict[str, Any]) -> dict[str, Any]:
    """Returns the hyperparameters of the evaluated model that differ from the workload's declaration.

    Args:
        jobs: The run's jobs.
        baseline: Those of the baseline.
    """
    tuning = jobs.get("tuning")
    return _values(tuning) if tuning and _is_better(jobs["training"], tuning) else baseline


def tuning_record(jobs: FinishedJobs, baseline: dict[str, Any]) -> TuningRecord | None:
    """Returns the record of a run's tuning; None if it has none. Arguments as for :func:`chosen_values`."""
    tuning = jobs.get("tuning")
    if not tuning:
        return None
    return {
        "job_name": tuning["job_name"],
        "baseline": {"auc": _validation(jobs["training"]), "hyperparameters": baseline},
        "trials": [{**trial} for trial in tuning["trials"]],
        "best": {"auc": tuning["objective"], "hyperparameters": _values(tuning)},
        "chosen": "trial" if _is_better(jobs["training"], tuning) else "baseline",
    }


def tuning_outcome(record: TuningRecord) -> str:
    """Says in a sentence what tuning found."""
    best, base, number = record["best"]["auc"], record["baseline"]["auc"], len(record["trials"])
    failed = sum(1 for trial in record["trials"] if trial["status"] == "Failed")
    of = f"{number} trials" + (f", {failed} of which failed," if failed else "")
    against = "an unknown one" if base is None else f"{base:.4f}"
    values = ", ".join(f"{name} {value}" for name, value in record["best"]["hyperparameters"].items())
    if record["chosen"] == "trial":
        return f"Tuning: the best of {of} has a validation AUC of {best:.4f} against {against}, with {values}."
    return f"Tuning: none of {of} beats the validation AUC {against} of the parameters so far; the best has {best:.4f}."


def _validation(training: FinishedTraining) -> float | None:
    return training["metrics"].get(OBJECTIVE)


def _is_better(training: FinishedTraining, tuning: FinishedTuning) -> bool:
    base = _validation(training)
    return base is None or tuning["objective"] > base


def _values(tuning: FinishedTuning) -> dict[str, Any]:
    """The best trial's hyperparameters, which SageMaker has as texts."""
    return {name: json.loads(text) for name, text in sorted(tuning["hyperparameters"].items())}
