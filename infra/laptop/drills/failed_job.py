"""A training job that fails: it has no input data."""

from __future__ import annotations

import time
import uuid

from infra.laptop import cloud
from infra.laptop.bootstrap.definitions import NAMES
from infra.laptop.bootstrap.roles import Role
from infra.laptop.config import LaptopError
from infra.laptop.drills.cause import Cause

_SECONDS = 180.0


class FailedJob(Cause):
    """Starts the job, and waits until it has failed."""

    def begin(self) -> None:
        """Starts the job.

        Raises:
            LaptopError: It did not fail.
        """
        sagemaker, name = self.target.aws.sagemaker, f"nj-drill-{uuid.uuid4().hex[:8]}"
        sagemaker.create_training_job(
            TrainingJobName=name,
            AlgorithmSpecification={"TrainingImage": cloud.TRAINING_IMAGE, "TrainingInputMode": "File"},
            RoleArn=Role("sagemaker").arn,
            OutputDataConfig={"S3OutputPath": f"s3://{NAMES.artifact}/jobs/{self.target.workload.name}/drill/"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )
        deadline, status = time.monotonic() + _SECONDS, ""
        while time.monotonic() < deadline:
            status = sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"]
            if status == "Failed":
                return
            time.sleep(0.5)
        raise LaptopError(f"The training job {name} of the drill is {status} and not Failed.")

    def end(self) -> None:
        """There is nothing to end: the failure is over."""
