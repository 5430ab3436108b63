"""``evaluation.json``: written by the evaluation job, read by the promotion decision, the registry and the model card.

Types only, so that a DAG can import them. A number that could not be computed is null in the document; a reader must
not promote on it.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Point = tuple[float, float]
"""A point of a curve, x and y."""

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
        average_precision: Mean precision over the steps of recall.
        positive_rate: Share of rows with label 1.
        predicted_rate: Share of rows with prediction 1.
    """

    auc: float
    average_precision: float
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


class Interval(TypedDict):
    """The 95 % interval of a metric."""

    low: float | None
    high: float | None


class SliceMetrics(TypedDict):
    """Metrics on the rows with one value of a slice field, with the 95 % interval of the AUC."""

    rows: int
    auc: float
    auc_low: float | None
    auc_high: float | None
    positive_rate: float


class ModelEvaluation(BinaryMetrics):
    """One model on the test set.

    Attributes:
        auc_low: Lower end of the 95 % interval of ``auc``.
        auc_high: Upper end.
        intervals: The intervals of the other metrics that have one, by name.
        rows: Number of test rows.
        slices: Slice field → value → metrics.
        slices_not_measured: Slice field → value without metrics → the reason.
        calibration: Reliability of the probabilities. Empty bins are absent.
        roc: The ROC curve: false positive rate, true positive rate.
        precision_recall: Recall, precision.
    """

    auc_low: float | None
    auc_high: float | None
    intervals: dict[str, Interval]
    rows: int
    slices: dict[str, dict[str, SliceMetrics]]
    slices_not_measured: dict[str, dict[str, str]]
    calibration: list[CalibrationBin]
    roc: list[Point]
    precision_recall: list[Point]


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


class FeatureImportance(TypedDict):
    """What a model loses in AUC when a feature's values are shuffled: mean and standard deviation of the repeats."""

    feature: str
    drop: float
    deviation: float


class Importance(TypedDict):
    """Permutation importance on test rows, the most important feature first.

    Attributes:
        rows: Number of rows, fewer than the test set's if it has many.
        repeats: How often each feature was shuffled.
        features: One entry for each feature.
    """

    rows: int
    repeats: int
    features: list[FeatureImportance]


class FeatureDistribution(TypedDict):
    """How the values of one feature are distributed.

    Attributes:
        kind: Number or category.
        missing: Share of rows without a value; of a category, without one that the model knows.
        labels: Name of each bin.
        shares: Share of the rows with a value in each bin.
    """

    kind: Literal["number", "category"]
    missing: float
    labels: list[str]
    shares: list[float]


class Distributions(TypedDict):
    """How the candidate's features are distributed.

    Attributes:
        rows_of: The rows that were counted: the test set's, or those that the model was trained on.
        features: One entry for each feature.
    """

    rows_of: Literal["test", "training"]
    features: dict[str, FeatureDistribution]


class SplitDescription(TypedDict):
    """One split of the data set, as its manifest describes it; ``positives`` is null where the manifest has none."""

    rows: int
    positives: int | None
    first: str
    end: str


class DatasetDescription(TypedDict):
    """The candidate's data set.

    Attributes:
        splits: The splits by name.
        missing_days: Day that the data set leaves out → why.
    """

    splits: dict[str, SplitDescription]
    missing_days: dict[str, str]


class ModelDescription(TypedDict):
    """What the candidate's bundle says about itself.

    Attributes:
        kind: The estimator.
        seed: Its seed.
        hyperparameters: Its hyperparameters.
        threshold: Probability from which the prediction is 1.
        engine: The engine that serves it.
        features: Kind of each feature.
        code_sha: Build of the code.
        feature_code_hash: sha256 of features.py.
        libraries: Versions of Python and the libraries.
        device: What trained it, cpu or cuda. Absent for a model kind that never uses a GPU.
    """

    kind: str
    seed: int
    hyperparameters: dict[str, Any]
    threshold: float
    engine: str
    features: dict[str, str]
    code_sha: str
    feature_code_hash: str
    libraries: dict[str, str]
    device: NotRequired[str]


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
        bootstrap: How the intervals were computed.
        dataset: The data set, as its manifest describes it.
        model: The candidate, as its bundle describes itself.
        importance: Of the candidate's features; null if the rows that it is computed on have one class only.
        distributions: How the candidate's features are distributed.
    """

    bundle_digest: str
    champion_digest: str | None
    dataset_version: str
    cutoff: str
    workload: str
    bootstrap: BootstrapSettings
    dataset: DatasetDescription
    model: ModelDescription
    importance: Importance | None
    distributions: Distributions
