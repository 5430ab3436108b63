"""``evaluation.json``: written by the evaluation job, read by the promotion decision, the registry and the summary.

Types only, so that a DAG can import them. A number that could not be computed is null in the document; a reader must
not promote on it.
"""

from __future__ import annotations

from typing import Any, TypedDict

# A field named "from" needs the functional form.
CalibrationBin = TypedDict(
    "CalibrationBin", {"from": float, "to": float, "rows": int, "predicted": float, "observed": float}
)
"""One bin [from, to) of predicted probability: rows, mean predicted probability, and observed rate of label 1."""


class BinaryMetrics(TypedDict):
    """Metrics of a binary classifier on one set of rows.

    Attributes:
        auc: Area under the ROC curve.
        log_loss: Mean negative log-likelihood, in nats.
        brier: Mean squared difference of probability and label.
        accuracy: Share of rows whose prediction is the label.
        positive_rate: Share of rows with label 1.
        predicted_rate: Share of rows with prediction 1.
    """

    auc: float
    log_loss: float
    brier: float
    accuracy: float
    positive_rate: float
    predicted_rate: float


class ValidationMetrics(BinaryMetrics):
    """Metrics on the validation split, in the manifest of the bundle.

    Attributes:
        invalid_requests: Number of validation rows that are not valid requests.
    """

    invalid_requests: float


class SliceMetrics(TypedDict):
    """Metrics on the rows with one value of the slice field."""

    rows: int
    auc: float
    positive_rate: float


class ModelEvaluation(BinaryMetrics):
    """One model on the test set.

    Attributes:
        auc_low: Lower end of the 95 % interval of ``auc``.
        auc_high: Upper end.
        rows: Number of test rows.
        slices: Metrics by value of the slice field.
        slices_not_measured: For each value without metrics, the reason.
        calibration: Reliability of the probabilities. Empty bins are absent.
    """

    auc_low: float | None
    auc_high: float | None
    rows: int
    slices: dict[str, SliceMetrics]
    slices_not_measured: dict[str, str]
    calibration: list[CalibrationBin]


class AucDifference(TypedDict):
    """AUC of the candidate minus AUC of the champion, with the 95 % interval of the paired bootstrap."""

    auc: float
    low: float | None
    high: float | None


class BootstrapSettings(TypedDict):
    """Number of resamples, and the seed."""

    resamples: int
    seed: int


class Comparison(TypedDict):
    """Candidate and champion on one test set. Without a champion, ``champion`` and ``difference`` are null."""

    candidate: ModelEvaluation
    champion: ModelEvaluation | None
    difference: AucDifference | None


class EvaluationDigest(TypedDict):
    """The evaluation job's exit message: SageMaker keeps it, so nobody who writes to S3 can alter it.

    Attributes:
        evaluation_sha256: sha256 of ``evaluation.json``.
    """

    evaluation_sha256: str


class Evaluation(Comparison):
    """The whole document.

    Attributes:
        bundle_digest: sha256 of the candidate's ``bundle.tar.gz``.
        champion_digest: sha256 of the champion's; None without a champion.
        dataset_version: Version of the candidate's data set, of which the test set is a split.
        cutoff: Cut-off of that data set, ISO 8601 UTC.
        workload: Name of the workload.
        slice: Request field that the slices are taken by.
        bootstrap: How the intervals were computed.
        model: Kind, seed and hyperparameters of the candidate's estimator.
    """

    bundle_digest: str
    champion_digest: str | None
    dataset_version: str
    cutoff: str
    workload: str
    slice: str
    bootstrap: BootstrapSettings
    model: dict[str, Any]
