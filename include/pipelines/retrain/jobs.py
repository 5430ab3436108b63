"""The requests of a retrain run's SageMaker jobs, by the contract of ``include.training``.

The submit operator replaces ``${submit_key}`` by the key of the attempt, and ``${model_uri}`` by what the training job
wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

from include.errors import UserError
from include.lake import layout
from include.lake.fingerprint import submit_key
from include.lake.uris import s3_uri
from include.pipelines.attempt import ATTEMPT_KEY
from include.pipelines.processing_job import job_tags, processing_input, processing_output
from include.pipelines.promotion.packages import NONE, Package
from include.pipelines.retrain.tuning import baseline_parameters, tuning_request
from include.pipelines.training_image import training_image
from include.settings import Settings
from include.workloads import Workload
from include.workloads.instances import evaluation_problem, has_gpu, training_problem
from include.workloads.tuning import hyperparameter_texts

METRICS = ("auc", "log_loss", "brier")


class JobRequests(TypedDict):
    """Names and requests of the jobs: the arguments of the Create calls without the names."""

    training_name: str
    training: dict[str, Any]
    tuning_name: str
    tuning: dict[str, Any] | None
    """None where nothing is tuned."""
    evaluation_name: str
    evaluation: dict[str, Any]


@dataclass(frozen=True)
class JobInputs:
    """What the two jobs are made from.

    Attributes:
        dataset_version: Version of the data set.
        dataset_uri: S3 prefix of the data set, with ``split=…/`` below it.
        code_sha: Build of the code.
        champion: The version that the candidate is compared with.
        trials: The number of trials; 0 where nothing is tuned.
    """

    dataset_version: str
    dataset_uri: str
    code_sha: str
    champion: Package | None
    trials: int = 0


def job_requests(workload: Workload, settings: Settings, inputs: JobInputs) -> JobRequests:
    """Returns names and requests of the training job, the tuning job and the evaluation job.

    The names are submit keys: they are made from everything that decides the job's result.

    Raises:
        UserError: The default instance type has a GPU, which one of the jobs does not use, or no image uses.
    """
    instance = _training_instance(workload, settings)
    name, own = workload.name, baseline_parameters(workload, inputs.champion)
    common = _made_from(workload, inputs.dataset_version, inputs.code_sha)
    image = training_image(workload, settings)
    declared = workload.model.model_dump(mode="json", exclude={"tuning"})
    # A GPU rounds otherwise than a CPU, and a fit in steps gives other bytes. The size of an instance decides nothing.
    how = {"gpu": has_gpu(instance), "steps": workload.jobs.training.spot}
    more = {**({"tuned": own} if own else {}), **{name: True for name, is_so in how.items() if is_so}}
    training = submit_key(stage="train", parameters={**declared, **more}, image=image, **common)
    tuning = tuning_name(workload, settings, inputs.dataset_version, inputs.code_sha, inputs.trials)
    compared = {
        "training": training,
        "champion": inputs.champion and inputs.champion.metadata["bundle_digest"],
        "quality": workload.quality.model_dump(),
        **({"tuning": tuning} if inputs.trials else {}),
    }
    evaluation = submit_key(stage="evaluate", parameters=compared, image=settings.training_image, **common)
    output_uri = s3_uri(settings.artifact_bucket, layout.job_prefix(name, "train", training))
    request = training_request(workload, settings, inputs, output_uri)
    tuned_uri = s3_uri(settings.artifact_bucket, layout.job_prefix(name, "tune", tuning))
    return {
        "training_name": f"nj-{name}-train-{training}",
        "training": request,
        "tuning_name": tuning,
        "tuning": tuning_request(workload, request, inputs.trials, tuned_uri) if inputs.trials else None,
        "evaluation_name": f"nj-{name}-eval-{evaluation}",
        "evaluation": evaluation_request(workload, settings, inputs),
    }


def _training_instance(workload: Workload, settings: Settings) -> str:
    """The type of the training instance. What a workload declares was checked with it; its default is checked here."""
    default, jobs = settings.training_instance_type, workload.jobs
    training, evaluation = jobs.training.instance_type or default, jobs.evaluation.instance_type or default
    if problem := training_problem(training, workload.model.kind) or evaluation_problem(evaluation):
        raise UserError(f"The jobs cannot run on the type that NIGHTJAR_TRAINING_INSTANCE_TYPE names: {problem}.")
    return training


def tuning_name(workload: Workload, settings: Settings, dataset_version: str, code_sha: str, trials: int) -> str:
    """Returns the submit key of a run's tuning job; ``none`` where nothing is tuned.

    The key is short, because the name of a tuning job has at most 32 characters, with the suffixes of attempts.
    """
    if not trials:
        return NONE
    free = {"trials", "parallel", "budget_usd", "max_runtime_seconds"}  # they do not decide the trials
    parameters = {**workload.model.model_dump(mode="json", exclude={"tuning": free}), "trials": trials}
    image, common = training_image(workload, settings), _made_from(workload, dataset_version, code_sha)
    return f"nj-tune-{submit_key(stage='tune', parameters=parameters, image=image, **common)[:12]}"


def _made_from(workload: Workload, dataset_version: str, code_sha: str) -> dict[str, str]:
    return {"workload": workload.name, "inputs": dataset_version, "code_sha": code_sha}


def training_request(workload: Workload, settings: Settings, inputs: JobInputs, output_uri: str) -> dict[str, Any]:
    """Returns CreateTrainingJob's arguments without the name.

    Of the model's hyperparameters, it has only those that differ from the workload's declaration, which the container
    reads from the workload's folder in its image.
    """
    channels = {
        "train": inputs.dataset_uri + layout.split_folder("train"),
        "validation": inputs.dataset_uri + layout.split_folder("validation"),
        "manifest": _manifest_uri(workload, settings, inputs.dataset_version),
    }
    return {
        "AlgorithmSpecification": {
            "TrainingImage": training_image(workload, settings),
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "-m", "include.training.train"],
            "MetricDefinitions": [
                {"Name": name, "Regex": rf"metric:validation_{name}=([0-9.eE+-]+)"} for name in METRICS
            ],
        },
        "RoleArn": settings.training_role_arn,
        "HyperParameters": {
            "workload": workload.name,
            "code_sha": inputs.code_sha,
            "dataset_version": inputs.dataset_version,
            **hyperparameter_texts(baseline_parameters(workload, inputs.champion)),
        },
        "InputDataConfig": [
            {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
            for name, uri in channels.items()
        ],
        "OutputDataConfig": {"S3OutputPath": output_uri},
        "ResourceConfig": workload.jobs.training.cluster(settings.training_instance_type),
        **workload.jobs.training.spot_request(workload.model.max_runtime_seconds),
        **_checkpoints(workload, settings),
        "Tags": job_tags(workload.name),
        **_tracked(settings),
    }


def evaluation_request(workload: Workload, settings: Settings, inputs: JobInputs) -> dict[str, Any]:
    """Returns CreateProcessingJob's arguments without the name: candidate and champion are scored on one test set."""
    output_uri = s3_uri(settings.artifact_bucket, layout.job_prefix(workload.name, "evaluate", ATTEMPT_KEY))
    limit = workload.model.max_runtime_seconds
    sources = {
        "candidate": "${model_uri}",
        "test": inputs.dataset_uri + layout.split_folder("test"),
        "manifest": _manifest_uri(workload, settings, inputs.dataset_version),
    }
    bootstrap, seed = str(workload.quality.bootstrap), str(workload.model.seed)
    arguments = ["--workload", workload.name, "--bootstrap", bootstrap, "--seed", seed]
    if inputs.champion:
        metadata = inputs.champion.metadata
        sources["champion"] = metadata["bundle_uri"]
        sources["champion_manifest"] = _manifest_uri(workload, settings, metadata["dataset_version"])
        arguments += ["--champion-digest", metadata["bundle_digest"]]
    return {
        "AppSpecification": {
            "ImageUri": settings.training_image,
            "ContainerEntrypoint": ["python", "-m", "include.training.evaluate"],
            "ContainerArguments": arguments,
        },
        "RoleArn": settings.training_role_arn,
        "ProcessingInputs": [processing_input(name, uri) for name, uri in sources.items()],
        "ProcessingOutputConfig": processing_output("evaluation", output_uri),
        "ProcessingResources": {"ClusterConfig": workload.jobs.evaluation.cluster(settings.training_instance_type)},
        "StoppingCondition": {"MaxRuntimeInSeconds": workload.jobs.evaluation_seconds(limit)},
        "Tags": job_tags(workload.name),
        **_tracked(settings, TRACKED_MODEL_URI="${model_uri}"),
    }


def _tracked(settings: Settings, **more: str) -> dict[str, Any]:
    """The environment of a job that is tracked (``include.training.tracking``); nothing where there is no server."""
    uri = settings.mlflow_tracking_uri
    return {"Environment": {"MLFLOW_TRACKING_URI": uri, **more}} if uri else {}


def _checkpoints(workload: Workload, settings: Settings) -> dict[str, Any]:
    """Where a job on spare capacity keeps what it has done (``include.training.checkpoints``): a folder an attempt."""
    if not workload.jobs.training.spot:
        return {}
    prefix = layout.job_prefix(workload.name, "train", ATTEMPT_KEY)
    return {"CheckpointConfig": {"S3Uri": s3_uri(settings.artifact_bucket, f"{prefix}checkpoints/")}}


def _manifest_uri(workload: Workload, settings: Settings, dataset_version: str) -> str:
    return s3_uri(settings.artifact_bucket, layout.dataset_manifest_key(workload.name, dataset_version))
