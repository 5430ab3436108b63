"""moto's SageMaker, with jobs that run and a model registry that keeps what an update does not name."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from moto.sagemaker.exceptions import ResourceInUseException, ResourceNotFound, ValidationError
from moto.sagemaker.models import FakeEndpointConfig, SageMakerModelBackend

from infra.localcloud.errors import AssumeRoleError
from infra.localcloud.install import Context
from infra.localcloud.sagemaker.job import SageMakerJob
from infra.localcloud.sagemaker.processing import ProcessingJob
from infra.localcloud.sagemaker.training import TrainingJob
from infra.localcloud.sagemaker.tuning import TuningJob
from infra.localcloud.sagemaker.tuning_request import check

_METADATA_KEYS, _METADATA_CHARACTERS, _DESCRIPTION_CHARACTERS = 50, 256, 1024


class SageMakerBackend(SageMakerModelBackend):
    """Jobs and model registry of one account and region."""

    context: ClassVar[Context]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._lock = threading.Lock()
        self._arn_of_token: dict[str, str] = {}
        self._training: dict[str, TrainingJob] = {}
        self._processing: dict[str, ProcessingJob] = {}
        # moto's tag and delete actions look for tuning jobs here.
        self.hyper_parameter_tuning_jobs: dict[str, TuningJob] = {}  # type: ignore[assignment]  # in place of moto's
        # Resource policies of model package groups, by the group's name.
        self.package_group_policies: dict[str, str] = {}
        # moto's tag actions look for jobs here.
        self.training_jobs = self._training  # type: ignore[assignment]  # they use `tags` only
        self.processing_jobs = self._processing  # type: ignore[assignment]  # they use `tags` only

    # --- jobs ---

    def start_training(self, request: dict[str, Any]) -> TrainingJob:
        """CreateTrainingJob.

        Raises:
            NotImplementedError: The request uses a feature that is not supported.
            ResourceInUseException: The name was used before.
        """
        TrainingJob.check(request)
        return self._start(TrainingJob, self._training, request["TrainingJobName"], request)

    def start_processing(self, request: dict[str, Any]) -> ProcessingJob:
        """CreateProcessingJob. Raises as :meth:`start_training`."""
        ProcessingJob.check(request)
        return self._start(ProcessingJob, self._processing, request["ProcessingJobName"], request)

    def _start[J: SageMakerJob](self, job_class: type[J], jobs: dict[str, J], name: str, request: dict[str, Any]) -> J:
        with self._lock:
            if name in jobs:
                raise ResourceInUseException(
                    f"{job_class.kind.capitalize()} job names must be unique within an AWS account and region, "
                    f"and a {job_class.kind} job with this name already exists ({jobs[name].arn})"
                )
            arn = f"arn:aws:sagemaker:{self.region_name}:{self.account_id}:{job_class.kind}-job/{name}"
            self._require_trust(request["RoleArn"], arn)
            job = jobs[name] = job_class(self.context, name, request, self.account_id, self.region_name)
        job.start()
        return job

    def _require_trust(self, role_arn: str, arn: str) -> None:
        try:
            self.context.identity.check_trust(role_arn, "sagemaker.amazonaws.com", arn)
        except AssumeRoleError as error:
            raise ValidationError(str(error)) from None

    def training_job(self, name: str) -> TrainingJob:
        """The job with this name.

        Raises:
            ValidationError: There is none.
        """
        return _by_name(self._training, name)

    def processing_job(self, name: str) -> ProcessingJob:
        """The job with this name. Raises as :meth:`training_job`."""
        return _by_name(self._processing, name)

    def all_training_jobs(self) -> list[TrainingJob]:
        """All training jobs, oldest first."""
        with self._lock:
            return list(self._training.values())

    def all_processing_jobs(self) -> list[ProcessingJob]:
        """All processing jobs, oldest first."""
        with self._lock:
            return list(self._processing.values())

    # --- tuning jobs ---

    def start_tuning(self, request: dict[str, Any]) -> TuningJob:
        """CreateHyperParameterTuningJob.

        Raises:
            NotImplementedError: The request uses a feature that is not supported.
            ResourceInUseException: The name is in use.
            ValidationError: The request contradicts itself, or its role does not trust SageMaker.
        """
        check(request)
        name = request["HyperParameterTuningJobName"]
        with self._lock:
            if name in self.hyper_parameter_tuning_jobs:
                raise ResourceInUseException(
                    "Hyperparameter tuning job names must be unique within an AWS account and region, and a job with "
                    f"this name already exists ({self.hyper_parameter_tuning_jobs[name].arn})"
                )
            job = TuningJob(self.context, request, self.account_id, self.region_name)
            self._require_trust(request["TrainingJobDefinition"]["RoleArn"], job.arn)
            self.hyper_parameter_tuning_jobs[name] = job
        job.start()
        return job

    def tuning_job(self, name: str) -> TuningJob:
        """The tuning job with this name.

        Raises:
            ResourceNotFound: There is none.
        """
        if name not in self.hyper_parameter_tuning_jobs:
            raise ResourceNotFound(f"Could not find hyper parameter tuning job '{name}'.")
        return self.hyper_parameter_tuning_jobs[name]

    def resume(self) -> None:
        """Continues the tuning jobs that were in progress when the server ended."""
        for job in self.hyper_parameter_tuning_jobs.values():
            if job.ended_at is None:
                job.start()

    # --- models ---

    def create_endpoint_config(self, *args: Any, **kwargs: Any) -> FakeEndpointConfig:
        """CreateEndpointConfig; moto makes a tuple of its ARN, with which it cannot be tagged."""
        made = super().create_endpoint_config(*args, **kwargs)
        made.arn = made.endpoint_config_arn  # type: ignore[assignment]  # moto declares the tuple
        return made

    # --- model registry ---

    def create_model_package_group(self, model_package_group_name: str, *args: Any, **kwargs: Any) -> str:
        """CreateModelPackageGroup; a name that exists is an error, as on SageMaker."""
        if model_package_group_name in self.model_package_groups:
            arn = self.model_package_groups[model_package_group_name].arn
            raise ValidationError(f"Model Package Group already exists: {arn}")
        return super().create_model_package_group(model_package_group_name, *args, **kwargs)

    def create_model_package(self, *args: Any, **kwargs: Any) -> str:
        """CreateModelPackage; the same ClientToken returns the same package."""
        _check_metadata(kwargs.get("customer_metadata_properties") or {})
        token = kwargs.get("client_token")
        with self._lock:
            if token and token in self._arn_of_token:
                return self._arn_of_token[token]
            arn = super().create_model_package(*args, **kwargs)
            package = self.model_packages[arn]
            # A version that was registered without a status is not approved yet.
            if package.model_package_version and package.model_approval_status is None:
                package.set_model_approval_status("PendingManualApproval")
            if token:
                self._arn_of_token[token] = arn
            return arn

    def update_model_package(
        self,
        model_package_arn: str,
        model_approval_status: str | None,
        approval_description: str | None,
        customer_metadata_properties: dict[str, str] | None,
        customer_metadata_properties_to_remove: list[str],
        additional_inference_specifications_to_add: list[Any] | None,
    ) -> str:
        """UpdateModelPackage; fields that the request omits stay as they are.

        Raises:
            ValidationError: A text or the metadata is too long.
        """
        package = self.describe_model_package(model_package_arn)
        if len(approval_description or "") > _DESCRIPTION_CHARACTERS:
            raise ValidationError(
                f"approvalDescription must have length less than or equal to {_DESCRIPTION_CHARACTERS}."
            )
        merged = {**(package.customer_metadata_properties or {}), **(customer_metadata_properties or {})}
        removed = set(customer_metadata_properties_to_remove or [])
        _check_metadata({name: value for name, value in merged.items() if name not in removed})
        return super().update_model_package(
            model_package_arn,
            model_approval_status if model_approval_status is not None else package.model_approval_status,
            approval_description if approval_description is not None else package.approval_description,
            merged,
            customer_metadata_properties_to_remove,
            additional_inference_specifications_to_add,
        )


def _by_name[J: SageMakerJob](jobs: dict[str, J], name: str) -> J:
    if name not in jobs:
        raise ValidationError("Requested resource not found.")
    return jobs[name]


def _check_metadata(properties: dict[str, str]) -> None:
    if len(properties) > _METADATA_KEYS:
        raise ValidationError(
            f"customerMetadataProperties must have at most {_METADATA_KEYS} keys, not {len(properties)}."
        )
    for name, value in properties.items():
        if len(value) > _METADATA_CHARACTERS:
            raise ValidationError(
                f"customerMetadataProperties.{name} must have at most {_METADATA_CHARACTERS} characters, "
                f"not {len(value)}."
            )
