"""How a workload's versions are deployed: after a shadow, with a canary, or at once."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from include.workloads.strict import StrictModel


class CanarySpec(StrictModel):
    """A new version first gets a share of the requests, and is compared with the live one (ADR 47)."""

    share: float = Field(ge=0.01, le=0.5, description="share of the requests that the new version gets")
    minutes: int = Field(ge=2, le=240, description="how long the two are compared")
    minimum_requests: int = Field(
        200, ge=20, description="the new version must have answered so many; else too_few decides"
    )
    too_few: Literal["roll_back", "promote"] = Field(
        "roll_back", description="what becomes of a version that got fewer requests, and no fault was seen"
    )
    error_margin: float = Field(
        0.01, ge=0, le=0.5, description="by how much its share of failed requests may exceed the live version's"
    )
    latency_factor: float = Field(1.5, ge=1, le=20, description="how many times the live version's p95 its p95 may be")
    score_shift: float = Field(
        0.2, gt=0, le=1, description="largest distance of the two distributions of scores (Kolmogorov–Smirnov)"
    )

    def tasks(self, desired_count: int) -> int:
        """Returns how many tasks serve the canary's share, where the service has so many."""
        return math.ceil(self.share * desired_count)


class ShadowSpec(StrictModel):
    """A new version first scores requests that the live one has answered, and nobody gets its answers (ADR 58)."""

    hours: int = Field(6, ge=1, le=8, description="newest hours of the prediction log that are scored, the present too")
    minimum_requests: int = Field(200, ge=20, description="with fewer requests of the live version, too_few decides")
    maximum_requests: int = Field(
        20_000, ge=100, le=200_000, description="with more requests, so many of them are scored: a random sample"
    )
    too_few: Literal["stop", "deploy"] = Field(
        "stop", description="what becomes of a version with fewer requests to score, and no fault was seen"
    )
    score_difference: float = Field(
        0.1, gt=0, le=1, description="largest mean of the absolute differences of the probabilities"
    )
    changed_labels: float = Field(
        0.1, ge=0, le=1, description="largest share of the requests that may get another label"
    )
    refused: float = Field(
        0, ge=0, le=1, description="largest share of the requests that it may refuse, or fail to score"
    )
    latency_factor: float = Field(
        2, ge=1, le=20, description="how many times the live version's median time for a request its own may be"
    )

    @model_validator(mode="after")
    def _has_enough(self) -> Self:
        if self.minimum_requests > self.maximum_requests:
            raise ValueError(
                f"minimum_requests ({self.minimum_requests}) is above maximum_requests ({self.maximum_requests}), so "
                "no deploy would have enough of them: raise maximum_requests"
            )
        return self


class DeploySpec(StrictModel):
    """How versions are deployed."""

    shadow: ShadowSpec | None = Field(None, description="score requests of the live version first, and compare")
    canary: CanarySpec | None = Field(None, description="compare a new version on a share of the requests first")
