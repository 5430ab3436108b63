"""SageMaker's training, processing and tuning jobs, and its model registry."""

from nightjar.jobs.sagemaker.jobs import ProcessingJob, ProcessingResult, TrainingJob, TrainingResult
from nightjar.jobs.sagemaker.listing import ProcessingJobs, TrainingJobs, TuningJobs
from nightjar.jobs.sagemaker.registry import RegistryHook
from nightjar.jobs.sagemaker.requested import requested_job
from nightjar.jobs.sagemaker.submit import SubmitProcessingJobOperator, SubmitTrainingJobOperator
from nightjar.jobs.sagemaker.tuning import SubmitTuningJobOperator, TuningJob, TuningResult

__all__ = [
    "ProcessingJob",
    "ProcessingJobs",
    "ProcessingResult",
    "RegistryHook",
    "SubmitProcessingJobOperator",
    "SubmitTrainingJobOperator",
    "SubmitTuningJobOperator",
    "TrainingJob",
    "TrainingJobs",
    "TrainingResult",
    "TuningJob",
    "TuningJobs",
    "TuningResult",
    "requested_job",
]
