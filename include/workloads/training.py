"""How a model of a workload is made: its label, the days it is trained on, its estimator, and when it is promoted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from include.workloads.fields import NAME, Name
from include.workloads.strict import StrictModel
from include.workloads.tuning import TuningSpec


class LabelSpec(StrictModel):
    """How the label is computed."""

    event: Name
    expression: str = Field(min_length=1, description="boolean SQL over the label event's payload columns")


class DatasetSpec(StrictModel):
    """The days of each split, counted back from the cut-off, and the smallest data set that is trained on."""

    train_days: int = Field(ge=1)
    validation_days: int = Field(ge=1)
    test_days: int = Field(ge=1)
    minimum_rows: int = Field(ge=1, description="a data set with fewer rows, over all splits, is not trained on")
    minimum_split_rows: int = Field(100, ge=1, description="a data set with fewer rows in any split is not trained on")
    late_days: int = Field(
        7, ge=0, le=366, description="days before a processed day whose late events are processed in the same job"
    )
    missing_days: int = Field(
        0, ge=0, description="days of the window that may be missing or refused; with more, nothing is trained"
    )


class ModelSpec(StrictModel):
    """The estimator and the limits of its training job."""

    kind: str = Field(pattern=NAME, description="a key of include.training.estimators.REGISTRY")
    hyperparameters: dict[str, int | float | bool | str] = Field(default_factory=dict)
    seed: int = Field(ge=0)
    max_runtime_seconds: int = Field(ge=60, le=432_000)
    tuning: TuningSpec | None = Field(None, description="what may be tuned; without it, nothing is")


class QualitySpec(StrictModel):
    """When a candidate is promoted (``include.pipelines.promotion``)."""

    metric: Literal["auc"]
    bar: float = Field(ge=0, le=1, description="a candidate with a lower metric is never promoted")
    margin: float = Field(ge=0, le=1, description="how much worse than the champion still counts as equally good")
    slice: Name = Field(description="request field; the metric is also computed for each of its values")
    slice_margin: float = Field(ge=0, le=1, description="how much worse than the champion a slice may be")
    slice_minimum: int = Field(ge=1, description="slices with fewer rows are not compared")
    bootstrap: int = Field(ge=100, le=100_000, description="resamples of the paired bootstrap")
