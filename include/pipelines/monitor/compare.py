"""Compares the columns of a window with the live version's training data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from include.model.baseline import MISSING, OUTSIDE, UNKNOWN, Blocks, Column, Counts, LabelBaseline
from include.model.drift_statistics import adjusted, chi_square, p_value, psi, share
from include.pipelines.monitor import thresholds as limits
from include.pipelines.monitor.counts import NO_MOMENTS
from include.pipelines.monitor.types import ColumnResult, LabelResult, Moments

_SHARES = (
    ("missing", "are missing", limits.MISSING_MARGIN),
    ("unknown", "are unknown categories", limits.UNKNOWN_MARGIN),
    ("outside", "are out of range", limits.OUTSIDE_MARGIN),
)


def compare_columns(
    baseline: Mapping[str, Column], counts: Mapping[str, Counts], moments: Mapping[str, Moments]
) -> list[ColumnResult]:
    """Compares each column; the false discovery rate is bounded over all of them.

    Args:
        baseline: Column → what training saw.
        counts: Column → bin → rows of the window.
        moments: Column → its moments in the window.
    """
    results = [
        _measured(name, column, counts[name], moments.get(name, NO_MOMENTS)) for name, column in baseline.items()
    ]
    for result, q in zip(results, adjusted([result["p"] for result in results]), strict=True):
        result["q"] = q
        result["drifted"] = [*_reasons(result, baseline[result["name"]])]
    return results


def compare_labels(baseline: LabelBaseline, labels: Mapping[str, int]) -> LabelResult:
    """Compares the rate of positive labels with the blocks of the training data."""
    rows, positives = sum(labels.values()), labels.get("1", 0)
    expected = baseline["positives"] / max(1, baseline["rows"])
    rate = positives / rows if rows else expected
    low, high = baseline.get("range", (expected, expected))
    width, drifted = high - low, []
    beyond = max(low - rate, rate - high)
    if rows >= limits.MINIMUM_ROWS and beyond > max(limits.LABEL_MARGIN, limits.POSITION * width):
        drifted.append(f"{rate:.1%} of the labels are positive, {low:.1%} to {high:.1%} in training")
    return {"rows": rows, "rate": rate, "expected": expected, "drifted": drifted}


def _measured(name: str, column: Column, counts: Counts, moments: Moments) -> ColumnResult:
    expected, rows = column["counts"], sum(counts.values())
    statistic, blocks = chi_square(expected, counts), column.get("blocks")
    mean = variance = None
    if blocks is not None:
        mean, variance = _expected_statistic(blocks, statistic.freedom, rows)
    result: ColumnResult = {
        "name": name,
        "kind": column["kind"],
        "expected": expected,
        "found": counts,
        "psi": psi(expected, counts),
        "psi_limit": _psi_limit(blocks, statistic.freedom, rows),
        "p": p_value(statistic, mean, variance),
        "q": 1.0,
        "missing": share(counts, [MISSING]),
        "unknown": share(counts, [UNKNOWN]),
        "outside": share(counts, OUTSIDE),
        **moments,
        "drifted": [],
    }
    if "edges" in column:
        result["edges"] = column["edges"]
    if "values" in column:
        result["values"] = column["values"]
    return result


def _expected_statistic(blocks: Blocks, freedom: int, rows: int) -> tuple[float, float]:
    """Mean and variance of the chi-square statistic of a window where nothing has changed.

    The part that is due to blocks being different grows with the number of rows.
    """
    scale = rows / max(1.0, blocks["rows"])
    mean = freedom + max(0.0, blocks["chi_mean"] - freedom) * scale
    variance = 2 * freedom + max(0.0, blocks["chi_variance"] - 2 * freedom) * scale**2
    return mean, variance


def _psi_limit(blocks: Blocks | None, freedom: int, rows: int) -> float:
    """Chance alone makes an index of about the degrees of freedom divided by the rows."""
    chance = freedom / max(1, rows)
    usual = limits.PSI_FACTOR * blocks["psi"] if blocks else 0.0
    return max(limits.PSI_FLOOR, usual) + chance


def _reasons(result: ColumnResult, column: Column) -> Iterator[str]:
    rows, blocks = sum(result["found"].values()), column.get("blocks")
    if rows < limits.MINIMUM_ROWS:
        return
    if result["q"] < limits.FALSE_DISCOVERY_RATE and result["psi"] > result["psi_limit"]:
        yield f"other distribution: PSI {result['psi']:.2f}, limit {result['psi_limit']:.2f}, q {result['q']:.1g}"
    usual: Any = blocks or {}
    for kind, words, margin in _SHARES:
        found, most = result[kind], max(usual.get(kind, 0.0), share(column["counts"], [kind]))  # type: ignore[literal-required]
        if found > most + margin:
            yield f"{found:.1%} {words}, at most {most:.1%} in training"
    if rows * (1 - result["missing"]) >= limits.MINIMUM_ROWS:
        yield from _moments(result, column, usual)


def _moments(result: ColumnResult, column: Column, usual: Mapping[str, Any]) -> Iterator[str]:
    mean, spread, correlation = result["mean"], result["spread"], result["correlation"]
    if mean is not None and "mean" in usual:
        low, high = usual["mean"]
        width = high - low + usual["spread"][1] / 4
        beyond = max(low - mean, mean - high)
        if beyond > limits.POSITION * width:
            yield f"the mean is {mean:.4g}, {low:.4g} to {high:.4g} in training"
    if spread is not None and "spread" in usual:
        low, high = usual["spread"]
        if spread < limits.SPREAD_LEAST * low or spread > limits.SPREAD_MOST * high:
            yield f"the standard deviation is {spread:.4g}, {low:.4g} to {high:.4g} in training"
    if "relation" in column and correlation is not None:
        low, high = column["relation"]["range"]
        sign, weakest = (1 if low > 0 else -1), min(abs(low), abs(high))
        if sign * correlation < limits.RELATION_LEFT * weakest:
            other = column["relation"]["with"]
            yield f"the correlation with {other} is {correlation:.2f}, {low:.2f} to {high:.2f} in training"
