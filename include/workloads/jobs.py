"""The ``jobs`` block: the size of a workload's jobs, and how long each may take. What is not declared has a default."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from include.workloads.strict import StrictModel

WorkerType = Literal["G.025X", "G.1X", "G.2X", "G.4X", "G.8X", "G.12X", "G.16X", "R.1X", "R.2X", "R.4X", "R.8X"]
GLUE_QUEUE_SECONDS = 3600  # how long a run may wait for its workers, on top of its own time limit
SPOT_WAIT_SECONDS = 3000  # how long a job may wait for spare capacity; less than its sensor waits for an instance


class GlueJobSpec(StrictModel):
    """A Glue job. Defaults: those of the job in ``infra/definitions/glue.yaml``."""

    worker_type: WorkerType | None = Field(None, description="Glue worker type; default: G.1X")
    workers: int | None = Field(None, ge=2, le=299, description="number of workers; default: 2")
    minutes: int | None = Field(None, ge=1, le=300, description="time limit of a run; default: 60")

    def request(self) -> dict[str, Any]:
        """Returns the members of StartJobRun that replace the job's own values."""
        sizes = {"WorkerType": self.worker_type, "NumberOfWorkers": self.workers, "Timeout": self.minutes}
        return {name: value for name, value in sizes.items() if value is not None}


class SageMakerJobSpec(StrictModel):
    """A SageMaker job."""

    instance_type: str | None = Field(
        None, pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", description="default: the setting training_instance_type"
    )
    instance_gb: int = Field(30, ge=1, le=16_384, description="size of the instance's volume")

    def cluster(self, default_type: str) -> dict[str, Any]:
        """Returns the cluster of CreateTrainingJob and CreateProcessingJob."""
        kind = self.instance_type or default_type
        return {"InstanceType": kind, "InstanceCount": 1, "VolumeSizeInGB": self.instance_gb}


class TrainingJobSpec(SageMakerJobSpec):
    """The training job, and the trials of a tuning job."""

    spot: bool = Field(
        False,
        description="on spare capacity, which is cheaper and may be taken away: the job then goes on from a "
        "checkpoint, a trial or a logistic regression begins anew",
    )

    def spot_request(self, seconds: int) -> dict[str, Any]:
        """Returns the members of a job's request that say how long it may take, and on which capacity it runs.

        Args:
            seconds: The time limit. A job on spare capacity may also wait for it.
        """
        if not self.spot:
            return {"StoppingCondition": {"MaxRuntimeInSeconds": seconds}}
        limits = {"MaxRuntimeInSeconds": seconds, "MaxWaitTimeInSeconds": seconds + SPOT_WAIT_SECONDS}
        return {"EnableManagedSpotTraining": True, "StoppingCondition": limits}


class EvaluationJobSpec(SageMakerJobSpec):
    """The evaluation job."""

    max_runtime_seconds: int | None = Field(
        None, ge=60, le=432_000, description="time limit; default: that of training, model.max_runtime_seconds"
    )


class JobsSpec(StrictModel):
    """Sizes and time limits of the workload's jobs. The time limit of training is ``model.max_runtime_seconds``."""

    transform: GlueJobSpec = GlueJobSpec()
    audit: GlueJobSpec = GlueJobSpec()
    training: TrainingJobSpec = TrainingJobSpec()
    evaluation: EvaluationJobSpec = EvaluationJobSpec()

    def glue_seconds(self, default: int) -> int:
        """Returns how long a Glue run may take until it is given up; ``default``: where no time limit is declared."""
        minutes = [job.minutes for job in (self.transform, self.audit) if job.minutes is not None]
        return max(default, *(60 * given + GLUE_QUEUE_SECONDS for given in minutes)) if minutes else default

    def evaluation_seconds(self, training: int) -> int:
        """Returns the time limit of the evaluation job; ``training``: that of training, which is its default."""
        return self.evaluation.max_runtime_seconds or training

    def sagemaker_seconds(self, training: int) -> int:
        """Returns the longer time limit of training and evaluation; ``training``: that of training."""
        return max(training, self.evaluation_seconds(training))
