"""The request of a tuning job: what it asks for, and whether it can be run."""

from __future__ import annotations

from typing import Any

from moto.sagemaker.exceptions import ValidationError

from infra.localcloud.sagemaker import search_space
from infra.localcloud.sagemaker.job import DEFAULT_MAX_RUNTIME_SECONDS, refuse_unsupported
from infra.localcloud.sagemaker.search_space import Parameters, Range
from infra.localcloud.sagemaker.training import TrainingJob

MAX_TRIALS = 750  # SageMaker's quota for Random and Grid
OBJECTIVE_PARAMETER = "_tuning_objective_metric"  # SageMaker adds it to the hyperparameters of every trial
# Of a training job's definition, what a training job takes as it is.
_JOB_FIELDS = (
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "RetryStrategy",
    "Environment",
)


def check(request: dict[str, Any]) -> None:
    """Checks a request of CreateHyperParameterTuningJob.

    Raises:
        NotImplementedError: A trial would use a feature of training jobs that is not supported.
        ValidationError: The request contradicts itself.
    """
    config = request["HyperParameterTuningJobConfig"]
    if "TrainingJobDefinition" not in request:
        raise ValidationError("TrainingJobDefinition is required.")
    definition, limits = request["TrainingJobDefinition"], config["ResourceLimits"]
    if "HyperParameterTuningJobObjective" not in config or "ParameterRanges" not in config:
        raise ValidationError("HyperParameterTuningJobObjective and ParameterRanges are required.")
    metric = config["HyperParameterTuningJobObjective"]["MetricName"]
    algorithm = definition["AlgorithmSpecification"]
    if metric not in [entry["Name"] for entry in algorithm.get("MetricDefinitions") or []]:
        raise ValidationError(f"The objective metric {metric} is not one of the MetricDefinitions.")
    ranges = ranges_of(request)
    both = sorted({entry.name for entry in ranges} & set(definition.get("StaticHyperParameters") or {}))
    if both:
        raise ValidationError(f"Hyperparameters are both static and tuned: {', '.join(both)}.")
    given = limits.get("MaxNumberOfTrainingJobs")
    if config["Strategy"] == "Grid":
        if given not in (None, size := search_space.grid_size(ranges)):
            raise ValidationError(f"MaxNumberOfTrainingJobs must be the number of combinations of the grid, {size}.")
    elif given is None:
        raise ValidationError("ResourceLimits.MaxNumberOfTrainingJobs is required for this strategy.")
    if trial_limit(request) > MAX_TRIALS:
        raise ValidationError(f"A tuning job has at most {MAX_TRIALS} training jobs, not {trial_limit(request)}.")
    refuse_unsupported({"checkpoints of trials": "CheckpointConfig" in definition})
    TrainingJob.check(trial_request(request, "trial", {}, ""))


def ranges_of(request: dict[str, Any]) -> tuple[Range, ...]:
    """The search space of a request."""
    return search_space.read_ranges(request["HyperParameterTuningJobConfig"]["ParameterRanges"])


def trial_limit(request: dict[str, Any]) -> int:
    """The number of trials that a tuning job runs."""
    config = request["HyperParameterTuningJobConfig"]
    if config["Strategy"] == "Grid":
        return search_space.grid_size(ranges_of(request))
    return int(config["ResourceLimits"]["MaxNumberOfTrainingJobs"])


def static_parameters(request: dict[str, Any]) -> Parameters:
    """The hyperparameters of every trial."""
    given: Parameters = request["TrainingJobDefinition"].get("StaticHyperParameters") or {}
    objective = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"]
    return {**given, OBJECTIVE_PARAMETER: objective}


def trial_request(request: dict[str, Any], name: str, parameters: Parameters, tuning_arn: str) -> dict[str, Any]:
    """The request of a trial's training job."""
    definition = request["TrainingJobDefinition"]
    return {
        **{field: definition[field] for field in _JOB_FIELDS if field in definition},
        "StoppingCondition": definition.get("StoppingCondition")
        or {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_SECONDS},
        "TrainingJobName": name,
        "AlgorithmSpecification": definition["AlgorithmSpecification"],
        "HyperParameters": {**static_parameters(request), **parameters},
        "TuningJobArn": tuning_arn,
    }
