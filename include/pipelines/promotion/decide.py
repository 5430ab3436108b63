"""The promotion decision, from an evaluation. Standard library only, because a DAG task calls it.

A candidate is promoted when every rule holds. A number that is absent or unreadable never promotes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.pipelines.promotion.packages import NONE, LiveVersion
from include.workloads.training import QualitySpec, SliceSpec

HISTORY = 30  # live versions that the decision looks back on


@dataclass(frozen=True)
class Decision:
    """The decision, with one sentence for each rule as its reason; rules that refused come first."""

    promote: bool
    reasons: list[str]


@dataclass(frozen=True)
class _Finding:
    holds: bool
    text: str


def decide(
    evaluation: Mapping[str, Any], quality: QualitySpec, live_history: Sequence[LiveVersion], *, champion: int | None
) -> Decision:
    """Decides whether a candidate is promoted.

    Without a champion, the bar and the slices decide.

    Args:
        evaluation: The evaluation job's ``evaluation.json``. Nothing in it is trusted to be there or to be a number.
        quality: The workload's quality block.
        live_history: The versions that were live, newest first, so that the champion is the first.
        champion: The version that the candidate was to be compared with; None where there was none.
    """
    findings = _bar(evaluation, quality) + _slices(evaluation, quality)
    if champion is not None and not isinstance(evaluation.get("champion"), Mapping):
        findings.append(_unreadable(f"the evaluation of the champion, version {champion},"))
    elif evaluation.get("champion") is None:
        findings.append(_Finding(True, "There is no champion to compare with."))
    else:
        findings += _challenge(evaluation, quality) + _ratchet(evaluation, quality, live_history)
    findings.sort(key=lambda finding: finding.holds)
    return Decision(all(finding.holds for finding in findings), [finding.text for finding in findings])


def _bar(evaluation: Mapping[str, Any], quality: QualitySpec) -> list[_Finding]:
    auc, bar = _number(evaluation, "candidate", "auc"), quality.bar
    if auc is None:
        return [_unreadable("the candidate's AUC")]
    word = "reaches" if auc >= bar else "is below"
    return [_Finding(auc >= bar, f"The candidate's AUC {auc:.4f} {word} the bar {bar:.4f}.")]


def _slices(evaluation: Mapping[str, Any], quality: QualitySpec) -> list[_Finding]:
    return [finding for spec in quality.slices for finding in _slices_by(evaluation, spec, quality.bar)]


def _slices_by(evaluation: Mapping[str, Any], spec: SliceSpec, bar: float) -> list[_Finding]:
    """Compares each slice by one field with the champion's, or with the bar where there is no champion."""
    champion = evaluation.get("champion")
    measured = _get(evaluation, "candidate", "slices", spec.field)
    compared = measured if champion is None else _get(champion, "slices", spec.field)
    if not isinstance(measured, Mapping) or not isinstance(compared, Mapping):
        return [_unreadable(f"the slices by {spec.field}")]
    findings = []
    for value in sorted(set(measured) | set(compared)):
        auc, rows = _number(measured, value, "auc"), _number(measured, value, "rows")
        other = bar if champion is None else _number(champion, "slices", spec.field, value, "auc")
        if auc is None or other is None or rows is None:
            findings.append(_unreadable(f"the AUC or the number of rows of {spec.field} {value}"))
        elif auc < other - spec.margin:
            whose = "the bar" if champion is None else "the champion's"
            findings.append(_Finding(False, _worse(spec, value, (auc, other, int(rows)), whose)))
    return findings or [_Finding(True, _no_worse(evaluation, spec, len(measured)))]


def _worse(spec: SliceSpec, value: str, numbers: tuple[float, float, int], whose: str) -> str:
    auc, other, rows = numbers
    return (
        f"{spec.field} {value}: AUC {auc:.4f} against {whose} {other:.4f}, {rows} rows; "
        f"{other - auc:.4f} worse, allowed {spec.margin:.2f}."
    )


def _no_worse(evaluation: Mapping[str, Any], spec: SliceSpec, measured: int) -> str:
    """How many slices held, and how many were too small to be compared."""
    skipped = _get(evaluation, "candidate", "slices_not_measured", spec.field)
    left_out = len(skipped) if isinstance(skipped, Mapping) else 0
    rest = f" {left_out} with fewer than {spec.minimum} rows or one class were not compared." if left_out else ""
    if not measured:
        return f"No value of {spec.field} has {spec.minimum} rows of both classes, so nothing was compared by it.{rest}"
    return f"By {spec.field}, none of {measured} values is more than {spec.margin:.2f} worse.{rest}"


def _challenge(evaluation: Mapping[str, Any], quality: QualitySpec) -> list[_Finding]:
    """Compares candidate and champion on their one test set."""
    low, margin = _number(evaluation, "difference", "low"), quality.margin
    difference = _number(evaluation, "difference", "auc")
    if low is None or difference is None:
        return [_unreadable("the difference of candidate and champion")]
    holds = low > -margin
    word = "above" if holds else "not above"
    text = f"Candidate minus champion is {difference:+.4f} in AUC; its lower bound {low:+.4f} is {word} {-margin:+.4f}."
    return [_Finding(holds, text)]


def _ratchet(evaluation: Mapping[str, Any], quality: QualitySpec, history: Sequence[LiveVersion]) -> list[_Finding]:
    """Refuses when many small losses, each within the margin, add up.

    AUCs of different runs were measured on different test sets and are not comparable: one day more or less in the
    window changes them by more than any margin. But each version was compared with its champion on *one* test set, so
    those differences are added up along the chain from the champion back
    (docs/adr/0009-ratchet-adds-up-paired-differences.md).
    """
    recent = list(history)[:HISTORY]
    if not recent:
        return []
    difference, margin = _number(evaluation, "difference", "auc"), quality.margin
    above = _above_champion(recent)
    if difference is None or above is None:
        return [_unreadable("the difference of the candidate, or of a version that was live, to its champion")]
    version, best = max(above.items(), key=lambda item: item[1])
    holds = difference >= best - 2 * margin
    word = "at most" if holds else "more than"
    text = (
        f"Paired differences added up, the candidate is {difference - best:+.4f} in AUC to version {version}, "
        f"the best of {len(above)} that were live: {word} {2 * margin:.4f} lost."
    )
    return [_Finding(holds, text)]


def _above_champion(recent: Sequence[LiveVersion]) -> dict[str, float] | None:
    """Version → how much its AUC is above the newest one's, for each that a chain of paired differences leads to."""
    above = {str(recent[0].get("version")): 0.0}
    for entry in recent:
        version, champion = str(entry.get("version")), entry.get("champion")
        if version not in above or champion in (None, NONE):
            continue
        difference = _number(entry, "auc_difference")
        if difference is None:
            return None
        above.setdefault(str(champion), above[version] - difference)
    live = {str(entry.get("version")) for entry in recent}
    return {version: value for version, value in above.items() if version in live}


def _unreadable(what: str) -> _Finding:
    return _Finding(False, f"Not promoted because {what} is absent or not a number.")


def _get(document: Any, *path: str) -> Any:
    for name in path:
        if not isinstance(document, Mapping):
            return None
        document = document.get(name)
    return document


def _number(document: Any, *path: str) -> float | None:
    value = _get(document, *path)
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
