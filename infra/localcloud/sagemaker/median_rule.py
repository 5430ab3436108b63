"""SageMaker's early stopping of trials: the median rule.

A trial is stopped when its objective at some step is worse than the median, over the trials that have completed, of
their running averages up to that step. It compares a trial from the second step on, and with at least three others.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

_FIRST_STEP = 2
_FEWEST_OTHERS = 3  # SageMaker's number is not published


def is_hopeless(values: Sequence[float], completed: Sequence[Sequence[float]], *, maximize: bool) -> bool:
    """Whether the median rule stops a trial.

    Args:
        values: The objective of the trial after each of its steps so far.
        completed: The same of each trial that has completed.
        maximize: Whether a larger objective is better.
    """
    step = len(values)
    if step < _FIRST_STEP:
        return False
    others = [fmean(series[:step]) for series in completed if len(series) >= step]
    if len(others) < _FEWEST_OTHERS:
        return False
    return values[-1] < median(others) if maximize else values[-1] > median(others)
