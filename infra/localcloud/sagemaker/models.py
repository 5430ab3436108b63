"""moto's SageMaker, whose training and processing jobs really run, and whose model registry forgets nothing."""

from __future__ import annotations

import threading
from typing import Any

from moto.sagemaker.exceptions import ResourceInUseException, ValidationError
from moto.sagemaker.models import SageMakerModelBackend

from ..install import Context
from .job import SageMakerJob
from .processing import ProcessingJob
from .training import TrainingJob

_METADATA_KEYS, _METADATA_CHARACTERS, _DESCRIPTION_CHARACTERS = 50, 256, 1024


class MachineLearning(SageMakerModelBackend):
    """One account and region."""

    context: Context

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._lock = threading.Lock()
        self._tokens: dict[str, str] = {}

    # --- jobs ---

    def start_training(self, request: dict[str, Any]) -> TrainingJob:
        """CreateTrainingJob."""
        TrainingJob.check(request)
        return self._start(TrainingJob, self.training_jobs, request["TrainingJobName"], request)

    def start_processing(self, request: dict[str, Any]) -> ProcessingJob:
        """CreateProcessingJob."""
        ProcessingJob.check(request)
        return self._start(ProcessingJob, self.processing_jobs, request["ProcessingJobName"], request)

    def _start(self, kind: type[Any], jobs: dict[str, Any], name: str, request: dict[str, Any]) -> Any:
        with self._lock:
            if name in jobs:
                what = kind.kind.capitalize()
                raise ResourceInUseException(
                    f"{what} job names must be unique within an AWS account and region, "
                    f"and a {kind.kind} job with this name already exists ({jobs[name].arn})"
                )
            job = jobs[name] = kind(self.context, name, request, self.account_id, self.region_name)
        job.start()
        return job

    @staticmethod
    def job(jobs: dict[str, Any], name: str) -> Any:
        """By name; raises ValidationException as SageMaker does."""
        if name not in jobs:
            raise ValidationError("Requested resource not found.")
        return jobs[name]

    def jobs(self, jobs: dict[str, Any]) -> list[SageMakerJob]:
        with self._lock:
            return list(jobs.values())

    # --- model registry ---

    def create_model_package_group(self, model_package_group_name: str, *args: Any, **kwargs: Any) -> str:
        if model_package_group_name in self.model_package_groups:
            arn = self.model_package_groups[model_package_group_name].arn
            raise ValidationError(f"Model Package Group already exists: {arn}")
        return super().create_model_package_group(model_package_group_name, *args, **kwargs)

    def create_model_package(self, *args: Any, **kwargs: Any) -> str:
        """moto's, with ClientToken: the same token is the same package."""
        _check_metadata(kwargs.get("customer_metadata_properties") or {})
        token = kwargs.get("client_token")
        with self._lock:
            if token and token in self._tokens:
                return self._tokens[token]
            arn = super().create_model_package(*args, **kwargs)
            package = self.model_packages[arn]
            # What a package without a status means to everyone who reads it: nobody has approved it.
            if package.model_package_version and package.model_approval_status is None:
                package.set_model_approval_status("PendingManualApproval")
            if token:
                self._tokens[token] = arn
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
        """moto's, but what the request does not name stays as it is."""
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


def _check_metadata(properties: dict[str, str]) -> None:
    if len(properties) > _METADATA_KEYS:
        raise ValidationError(
            f"customerMetadataProperties must have at most {_METADATA_KEYS} keys, not {len(properties)}."
        )
    for name, value in properties.items():
        if len(value) > _METADATA_CHARACTERS:
            raise ValidationError(
                f"customerMetadataProperties.{name} must have at most {_METADATA_CHARACTERS} characters, not {len(value)}."
            )
