"""How a model of a workload is made: its label, the days it is trained on, its estimator, and when it is promoted."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from include.workloads.fields import NAME, Name
from include.workloads.strict import StrictModel
from include.workloads.tuning import TuningSpec

_EARLIER_SLICE = ("slice", "slice_margin", "slice_minimum")


class LabelSpec(StrictModel):
    """How the label is computed."""

    event: Name
    expression: str = Field(min_length=1, description="boolean SQL over the label event's payload columns")
    description: str = Field("", description="what label 1 means, in words; the model card says it")


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


class SliceSpec(StrictModel):
    """A field whose values are compared one by one, so that no group of rows is served much worse."""

    field: Name = Field(description="request field; the metric is also computed for each of its values")
    margin: float = Field(ge=0, le=1, description="how much worse than the champion a slice may be")
    minimum: int = Field(ge=1, description="values with fewer rows in the test set are not compared")
    edges: tuple[float, ...] = Field((), description="of a number: where one slice ends and the next one begins")

    @field_validator("edges")
    @classmethod
    def _ascends(cls, edges: tuple[float, ...]) -> tuple[float, ...]:
        if any(low >= high for low, high in pairwise(edges)):
            raise ValueError("must ascend, like [500, 1000]: below 500, from 500 to 1000, from 1000")
        return edges


class QualitySpec(StrictModel):
    """When a candidate is promoted (``include.pipelines.promotion``)."""

    metric: Literal["auc"]
    bar: float = Field(ge=0, le=1, description="a candidate with a lower metric is never promoted")
    margin: float = Field(ge=0, le=1, description="how much worse than the champion still counts as equally good")
    slices: tuple[SliceSpec, ...] = Field(min_length=1, description="fields by whose values the metric is compared")
    bootstrap: int = Field(ge=100, le=100_000, description="resamples of the paired bootstrap")

    @model_validator(mode="before")
    @classmethod
    def _not_the_earlier_form(cls, value: Any) -> Any:
        if isinstance(value, dict) and (found := [name for name in _EARLIER_SLICE if name in value]):
            field, margin, minimum = (value.get(name, "…") for name in _EARLIER_SLICE)
            raise ValueError(
                f"{', '.join(found)} {'is' if len(found) == 1 else 'are'} a list now. "
                f"Write slices: [{{field: {field}, margin: {margin}, minimum: {minimum}}}]"
            )
        return value

    @field_validator("slices")
    @classmethod
    def _each_field_once(cls, slices: tuple[SliceSpec, ...]) -> tuple[SliceSpec, ...]:
        names = [spec.field for spec in slices]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} is there twice; write one entry for each field")
        return slices
