"""Instance types with a GPU, and which jobs may run on one: a GPU that nothing uses is paid for and idle."""

from __future__ import annotations

import re
from collections.abc import Iterator

from include.workloads.jobs import JobsSpec
from include.workloads.library_names import library_names

_GPU = re.compile(r"ml\.(g|gr|p)\d.*")  # ml.g4dn.xlarge, ml.g5.2xlarge, ml.p3.2xlarge, …


def has_gpu(instance_type: str) -> bool:
    """Whether an instance of this type has a GPU."""
    return bool(_GPU.fullmatch(instance_type))


def training_problem(instance_type: str, kind: str) -> str | None:
    """Returns why a model of this kind is not trained on this instance type; None if it may be."""
    using = library_names()["gpu_models"]
    if not has_gpu(instance_type) or kind in using:
        return None
    choice = f"a kind that does ({', '.join(using)})" if using else 'add a kind that does (docs/training.md, "A GPU")'
    return (
        f"{instance_type} has a GPU, which {kind} does not use: it would be paid for and idle. Choose an instance type "
        f"without one, like ml.m5.xlarge, or {choice}"
    )


def evaluation_problem(instance_type: str) -> str | None:
    """Returns why models are not evaluated on this instance type; None if they may be."""
    if not has_gpu(instance_type):
        return None
    return (
        f"{instance_type} has a GPU, but models are evaluated as they are served, on the CPU. Choose an instance type "
        "without one, like ml.m5.xlarge"
    )


def instance_problems(jobs: JobsSpec, kind: str) -> Iterator[tuple[str, str]]:
    """Yields the field and a text for each job whose declared instance does not fit it."""
    training, evaluation = jobs.training.instance_type, jobs.evaluation.instance_type
    if training and (problem := training_problem(training, kind)):
        yield "jobs.training.instance_type", problem
    if evaluation and (problem := evaluation_problem(evaluation)):
        yield "jobs.evaluation.instance_type", problem
