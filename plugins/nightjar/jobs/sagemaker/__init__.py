"""SageMaker's training and processing jobs, and its model registry."""

from nightjar.jobs.sagemaker.jobs import ProcessingJob, ProcessingResult, TrainingJob, TrainingResult
from nightjar.jobs.sagemaker.listing import ProcessingJobs, TrainingJobs
from nightjar.jobs.sagemaker.registry import RegistryHook
from nightjar.jobs.sagemaker.submit import SubmitProcessingJobOperator, SubmitTrainingJobOperator

__all__ = [
    "ProcessingJob",
    "ProcessingJobs",
    "ProcessingResult",
    "RegistryHook",
    "SubmitProcessingJobOperator",
    "SubmitTrainingJobOperator",
    "TrainingJob",
    "TrainingJobs",
    "TrainingResult",
]
