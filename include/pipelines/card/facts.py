"""What a model card is made from. Equal facts give the same page, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.model.evaluation import Evaluation, ModelEvaluation
from include.pipelines.promotion.packages import Package
from include.workloads import Workload


@dataclass(frozen=True)
class CardFacts:
    """What is known of a version when it is registered.

    Attributes:
        workload: The workload.
        package: The version, as the registry describes it.
        evaluation: Its evaluation.
        reasons: The reasons of its decision, the weightiest first.
        jobs: What was run → its submit key or job name.
    """

    workload: Workload
    package: Package
    evaluation: Evaluation
    reasons: Sequence[str]
    jobs: Mapping[str, str]

    @property
    def models(self) -> dict[str, ModelEvaluation]:
        """Candidate and, if there is one, champion."""
        found = {"candidate": self.evaluation["candidate"]}
        if self.evaluation["champion"] is not None:
            found["champion"] = self.evaluation["champion"]
        return found
