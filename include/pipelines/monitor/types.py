"""What the parts of a monitor run hand to each other, and its document."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from include.model.baseline import Counts, Kind

FORMAT = 1
LAKE, LOG = "lake", "log"


class MonitorPlan(TypedDict):
    """What the task ``plan`` returns. Instants are ISO 8601 UTC."""

    window_start: str
    window_end: str
    period_start: str
    """Predictions from here on are joined with labels."""
    days: list[str]
    """The published days that are compared, in order."""
    version: int
    """The live version."""
    model_cutoff: str
    data_clock: str
    """Up to when the stream is read; empty if it was never read."""
    baseline_key: str
    """In the artifact bucket; empty if the bundle has none."""
    baseline_sha256: str
    lake_query: str
    lake_key: str
    log_query: str
    log_key: str


class Moments(TypedDict):
    """Of a column in a window; None where there is none, such as the correlation of a constant."""

    mean: float | None
    spread: float | None
    correlation: float | None


class ColumnResult(TypedDict):
    """One column of a window beside the baseline."""

    name: str
    kind: Kind
    expected: Counts
    found: Counts
    edges: NotRequired[list[float]]
    values: NotRequired[list[str]]
    psi: float
    psi_limit: float
    p: float
    """Of the chi-square test, before it is adjusted for the number of columns."""
    q: float
    """After that."""
    missing: float
    unknown: float
    outside: float
    mean: float | None
    spread: float | None
    correlation: float | None
    drifted: list[str]
    """Why it counts as drifted, in words; empty if it does not."""


class LabelResult(TypedDict):
    """The labels of a window beside those of the training data."""

    rows: int
    rate: float
    expected: float
    drifted: list[str]


class SourceResult(TypedDict):
    """A window of the lake's published days, or of the prediction log."""

    window: str
    """What the window is called among those of its source."""
    rows: int
    columns: list[ColumnResult]
    label: LabelResult | None
    unmeasured: str
    """Why nothing is compared; empty if it is."""


class AccuracyResult(TypedDict):
    """A version's predictions of one day, or of the whole period (``all``), whose labels are known."""

    version: str
    period: str
    rows: int
    positives: int
    auc: float | None
    low: float | None
    high: float | None
    log_loss: float
    brier: float


class DelayResult(TypedDict):
    """Seconds from a prediction to the recording of its label; None if there is none."""

    rows: int
    median: float | None
    ninth_decile: float | None


class SkewResult(TypedDict):
    """Predictions whose key has a row in the lake, compared with it field by field."""

    rows: int
    differing: int
    fields: dict[str, int]


class MonitorReport(TypedDict):
    """``monitor/<workload>/<window end>.json``."""

    format: int
    workload: str
    version: int
    window_start: str
    window_end: str
    period_start: str
    days: list[str]
    baseline: str
    """sha256 of the baseline; empty if the version has none."""
    lake: SourceResult
    log: SourceResult
    versions: dict[str, int]
    """Version → its predictions in the period."""
    accuracy: list[AccuracyResult]
    delay: DelayResult
    skew: SkewResult
    drifted: dict[str, str]
    """Subject → why."""
    confirmed: dict[str, str]
    """Those that also drifted in earlier windows."""
    metrics: dict[str, float]
