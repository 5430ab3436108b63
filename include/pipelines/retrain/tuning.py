"""Tuning in a retrain run: how many trials it has and what they may cost, the request, and which model goes on.

The baseline, an ordinary training job, has the parameters of the version that the candidate is compared with (or the
workload's). It competes with the best trial on the validation split; the test set takes no part (ADR 44).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from include.errors import UserError
from include.lake.fingerprint import digest
from include.pipelines.cost.budget import allow_extra
from include.pipelines.cost.ledger import Charges
from include.pipelines.cost.prices import PRICES_FILE, prices
from include.pipelines.cost.usage import instance_price
from include.pipelines.promotion.packages import NONE, Package
from include.settings import Settings
from include.workloads import Workload
from include.workloads.tuning import MAX_TRIALS, RangeSpec, TuningSpec, hyperparameter_texts, is_whole, read_tuned

PARAM = "tune"
OBJECTIVE = "auc"  # of the training job's metrics, which are all of the validation split
_SCALES = {"linear": "Linear", "log": "Logarithmic", "reverse_log": "ReverseLogarithmic"}


def trials_of(
    workload: Workload, params: Mapping[str, Any], settings: Settings, charges: Charges, present: datetime
) -> int:
    """Returns how many trials a run has; 0 where there is no tuning.

    Trials that the workload asks for are left out where they may cost more than their budget, or than what is left of
    the workload's month: no night stops for them.

    Raises:
        UserError: A person asked for trials of a workload without ``model.tuning``, for more trials than there may be,
            or for more than the budget pays.
    """
    spec, asked = workload.model.tuning, params.get(PARAM)
    if spec is None:
        if asked:
            raise UserError(
                f"{PARAM} is {asked}, but {workload.name} does not declare what may be tuned. Add model.tuning to its "
                f"workload.yaml, or trigger the run without {PARAM}."
            )
        return 0
    trials = spec.trials if asked is None else int(asked)
    if asked is not None and trials > MAX_TRIALS:
        raise UserError(f"{PARAM} is {trials}, but a run has at most {MAX_TRIALS} trials. Ask for fewer.")
    refusal = _refusal(workload, spec, trials, settings)
    refusal = refusal or _over_month(workload, spec, trials, settings, charges, present)
    if refusal and asked is not None:
        raise UserError(f"{refusal} Or trigger the run with {PARAM} 0: it trains one model.")
    return 0 if refusal else trials


def tuning_sentence(
    workload: Workload, params: Mapping[str, Any], settings: Settings, charges: Charges, present: datetime
) -> str:
    """Returns what a run does about tuning: its trials and what they cost at most; empty where it has none.

    Raises:
        UserError: As :func:`trials_of`.
    """
    spec, trials = workload.model.tuning, trials_of(workload, params, settings, charges, present)
    if spec is None:
        return ""
    if trials:
        return f"Tuning: {_plan(workload, spec, trials, settings)}."
    refusal = ""
    if params.get(PARAM) is None:
        refusal = _refusal(workload, spec, spec.trials, settings)
        refusal = refusal or _over_month(workload, spec, spec.trials, settings, charges, present)
    return f"Nothing is tuned. {refusal}" if refusal else ""


def _plan(workload: Workload, spec: TuningSpec, trials: int, settings: Settings) -> str:
    at_most = f"at most ${_dollars(workload, spec, trials, settings):.2f} of the budget of ${spec.budget_usd:.2f}"
    return f"{trials} trials, {min(spec.parallel, trials)} at a time, {at_most}"


def _refusal(workload: Workload, spec: TuningSpec, trials: int, settings: Settings) -> str:
    """Why the budget does not pay for the trials; empty if it does."""
    if not trials:
        return ""
    kind, name = _instance(workload, settings), workload.name
    if prices().usd(instance_price(kind)) is None:
        return (
            f"{kind} has no price in include/pipelines/cost/{PRICES_FILE.name}, so the budget of {trials} trials "
            "cannot be checked. Add its price."
        )
    dollars = _dollars(workload, spec, trials, settings)
    if dollars <= spec.budget_usd:
        return ""
    each, limit = _trial_dollars(workload, spec, settings), trial_seconds(workload, spec)
    return (
        f"{trials} trials may cost ${dollars:.2f} (${each:.4f} each, at {limit} s on {kind}), more than "
        f"model.tuning.budget_usd of {name}, ${spec.budget_usd:.2f}. Ask for at most "
        f"{math.floor(spec.budget_usd / each + 1e-9)} trials, or raise the budget."
    )


def _over_month(
    workload: Workload, spec: TuningSpec, trials: int, settings: Settings, charges: Charges, present: datetime
) -> str:
    """Why what is left of the workload's month does not pay for the trials; empty if it does."""
    if not trials:
        return ""
    allowance = allow_extra(workload, _dollars(workload, spec, trials, settings), charges, present)
    return "" if allowance.allowed else allowance.reason


def _dollars(workload: Workload, spec: TuningSpec, trials: int, settings: Settings) -> float:
    """What so many trials cost at most: each at its time limit, and all within that of the tuning job."""
    seconds = min(trials * trial_seconds(workload, spec), spec.parallel * spec.max_runtime_seconds)
    return seconds * _second(workload, settings)


def _trial_dollars(workload: Workload, spec: TuningSpec, settings: Settings) -> float:
    return trial_seconds(workload, spec) * _second(workload, settings)


def _second(workload: Workload, settings: Settings) -> float:
    """Dollars a second of the training instance, which has a price (:func:`_refusal`)."""
    return (prices().usd(instance_price(_instance(workload, settings))) or math.inf) / 3600


def _instance(workload: Workload, settings: Settings) -> str:
    return str(workload.jobs.training.cluster(settings.training_instance_type)["InstanceType"])


def trial_seconds(workload: Workload, spec: TuningSpec) -> int:
    """The time limit of one trial."""
    return spec.trial_seconds or workload.model.max_runtime_seconds


def baseline_parameters(workload: Workload, champion: Package | None) -> dict[str, Any]:
    """Returns what the baseline's training job has in place of the workload's hyperparameters.

    Those are the tuned values of the champion, as long as the workload declares the same kind and hyperparameters as
    when they were found. So what tuning has found stays, until a person changes the declaration.
    """
    if champion is None or champion.metadata.get("tuned", NONE) == NONE:
        return {}
    if champion.metadata.get("tuned_for") != declaration_digest(workload):
        return {}
    return read_tuned(champion.metadata["tuned"])


def declaration_digest(workload: Workload) -> str:
    """Returns a digest of the estimator and the hyperparameters that the workload declares."""
    model = workload.model
    return digest({"kind": model.kind, "hyperparameters": model.hyperparameters})[:20]


def tuning_request(workload: Workload, training: Mapping[str, Any], trials: int, output_uri: str) -> dict[str, Any]:
    """Returns CreateHyperParameterTuningJob's arguments without the name.

    Args:
        workload: A workload with ``model.tuning``.
        training: The request of the baseline's training job: a trial differs in its hyperparameters.
        trials: The number of trials.
        output_uri: S3 prefix of the trials' models.
    """
    spec = workload.model.tuning
    assert spec is not None
    algorithm = training["AlgorithmSpecification"]
    return {
        "HyperParameterTuningJobConfig": {
            # Trials of the strategy Random depend on the seed alone, and not on which of them end first.
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": OBJECTIVE},
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": trials,
                "MaxParallelTrainingJobs": min(spec.parallel, trials),
                "MaxRuntimeInSeconds": spec.max_runtime_seconds,
            },
            "ParameterRanges": _ranges(workload, spec),
            "RandomSeed": workload.model.seed if spec.seed is None else spec.seed,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {
                name: text
                for name, text in training["HyperParameters"].items()
                if name in ("workload", "code_sha", "dataset_version")
            },
            # A trial runs what the image starts: the API takes no entry point.
            "AlgorithmSpecification": {
                name: algorithm[name] for name in ("TrainingImage", "TrainingInputMode", "MetricDefinitions")
            },
            "RoleArn": training["RoleArn"],
            "InputDataConfig": training["InputDataConfig"],
            "OutputDataConfig": {"S3OutputPath": output_uri},
            "ResourceConfig": training["ResourceConfig"],
            **workload.jobs.training.spot_request(trial_seconds(workload, spec)),
        },
        "Tags": training["Tags"],
    }


def _ranges(workload: Workload, spec: TuningSpec) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for name, declared in spec.ranges.items():
        kind, entry = _range(workload.model.kind, name, declared)
        found.setdefault(kind, []).append({"Name": name, **entry})
    return found


def _range(kind: str, name: str, declared: RangeSpec) -> tuple[str, dict[str, Any]]:
    if declared.values:
        texts = hyperparameter_texts({str(index): value for index, value in enumerate(declared.values)})
        return "CategoricalParameterRanges", {"Values": list(texts.values())}
    group = "IntegerParameterRanges" if is_whole(kind, name, declared) else "ContinuousParameterRanges"
    bounds = {"MinValue": str(declared.min), "MaxValue": str(declared.max)}
    return group, {**bounds, "ScalingType": _SCALES[declared.scale]}
