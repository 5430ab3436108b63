"""What answers with probabilities. One interface, so that a faster engine can take scikit-learn's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from include.training import golden
from include.training.bundle import Bundle


class Prediction(NamedTuple):
    """``label`` is 1 when ``probability`` (of label 1) reaches the bundle's threshold."""

    label: int
    probability: float


class Engine(Protocol):
    """Scores clean request records. Errors: ``include.training.score.ScoreError`` with the bad record's index."""

    name: str

    def predict(self, records: Sequence[Mapping[str, Any]]) -> list[Prediction]: ...

    def golden(self) -> golden.GoldenResult: ...


class SklearnEngine:
    """The bundle's own model, through the path that training scored its golden rows by."""

    name = "scikit-learn"

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def predict(self, records: Sequence[Mapping[str, Any]]) -> list[Prediction]:
        scorer = self._bundle.scorer
        return [Prediction(scorer.prediction(value), value) for value in scorer.probabilities(records).tolist()]

    def golden(self) -> golden.GoldenResult:
        return golden.rescore(self._bundle.golden, self._bundle.schema, self._bundle.scorer)
