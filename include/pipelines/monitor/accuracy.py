"""How good predictions were whose labels are known by now, by version and day; and how late the labels were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from include.model.drift_statistics import interval
from include.pipelines.monitor.counts import as_number
from include.pipelines.monitor.types import AccuracyResult, DelayResult

ALL = "all"
FEWEST = 10  # predictions of each label, for an AUC


class _Group(NamedTuple):
    """The predictions with one label: number, mean and variance of their placements, sums of both losses."""

    rows: int
    placement: float | None
    variance: float | None
    log_loss: float
    brier: float


def measure(judged: Iterable[tuple[Sequence[str], int]]) -> list[AccuracyResult]:
    """Returns the accuracy by version and day, and of the whole period.

    AUC and its interval are of DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988): a placement is the share of
    the predictions with the other label that are below, ties counted half. Its mean over the positive ones is the AUC.
    """
    groups: dict[tuple[str, str], dict[str, _Group]] = {}
    for (version, period, label, placement, variance, log_loss, brier), rows in judged:
        group = _Group(
            rows, as_number(placement), as_number(variance), as_number(log_loss) or 0.0, as_number(brier) or 0.0
        )
        groups.setdefault((version, period), {})[label] = group
    return [_accuracy(version, period, found) for (version, period), found in sorted(groups.items())]


def newest(results: Iterable[AccuracyResult], version: int) -> AccuracyResult | None:
    """Returns the accuracy of a version over the whole period."""
    return next((one for one in results if one["version"] == str(version) and one["period"] == ALL), None)


def delays(parts: Sequence[str], rows: int) -> DelayResult:
    """Returns how late labels were.

    A label that was recorded before its prediction (data that are replayed) has no delay.
    """
    median, ninth = (as_number(text) for text in parts)
    if median is None or median < 0:
        return {"rows": rows, "median": None, "ninth_decile": None}
    return {"rows": rows, "median": median, "ninth_decile": ninth}


def _accuracy(version: str, period: str, groups: Mapping[str, _Group]) -> AccuracyResult:
    rows = sum(group.rows for group in groups.values())
    positive, negative = groups.get("1"), groups.get("0")
    auc = low = high = None
    if positive and negative and min(positive.rows, negative.rows) >= FEWEST and positive.placement is not None:
        auc = positive.placement
        # The placements of negatives are the shares of positives below: 1 minus DeLong's, with the same variance.
        variance = (positive.variance or 0.0) / positive.rows + (negative.variance or 0.0) / negative.rows
        low, high = interval(auc, variance)
    return {
        "version": version,
        "period": period,
        "rows": rows,
        "positives": positive.rows if positive else 0,
        "auc": auc,
        "low": low,
        "high": high,
        "log_loss": sum(group.log_loss for group in groups.values()) / max(1, rows),
        "brier": sum(group.brier for group in groups.values()) / max(1, rows),
    }
