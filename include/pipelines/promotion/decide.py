"""The promotion decision, from an evaluation. Standard library only: a DAG task calls it.

A candidate is promoted when each rule holds; a number that is absent or unreadable never promotes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HISTORY = 30  # live versions that the promotion rule looks back on


@dataclass(frozen=True)
class Decision:
    """``reasons``: a sentence a rule, those that speak against the candidate first."""

    promote: bool
    reasons: list[str]


@dataclass(frozen=True)
class _Finding:
    holds: bool
    text: str


def decide(
    evaluation: Mapping[str, Any], quality: Mapping[str, Any], live_history: Sequence[Mapping[str, Any]]
) -> Decision:
    """Judges ``evaluation`` (evaluation.json) by ``quality`` (the workload's block of that name).

    ``live_history`` are the versions that were live, **newest first** (so the champion is the first), each with ``version``,
    ``champion`` (the version it was compared with, "none" for the first of all) and ``auc_difference`` to that one (a number or,
    as a model package's metadata holds it, a string). Without a champion the bar and the slices decide.
    """
    findings = _bar(evaluation, quality) + _slices(evaluation, quality)
    if evaluation.get("champion") is None:
        findings.append(_Finding(True, "There is no champion to compare with."))
    else:
        findings += _challenge(evaluation, quality) + _ratchet(evaluation, quality, live_history)
    findings.sort(key=lambda finding: finding.holds)
    return Decision(all(finding.holds for finding in findings), [finding.text for finding in findings])


def _bar(evaluation: Mapping[str, Any], quality: Mapping[str, Any]) -> list[_Finding]:
    if quality.get("metric") != "auc":
        return [_Finding(False, f"The workload asks for the metric {quality.get('metric')!r}; only auc can be judged.")]
    auc, bar = _number(evaluation, "candidate", "auc"), _number(quality, "bar")
    if auc is None or bar is None:
        return [_unreadable("the candidate's AUC or the bar")]
    word = "reaches" if auc >= bar else "is below"
    return [_Finding(auc >= bar, f"The candidate's AUC {auc:.4f} {word} the bar {bar:.4f}.")]


def _slices(evaluation: Mapping[str, Any], quality: Mapping[str, Any]) -> list[_Finding]:
    """Against the champion on the same slice where there is one, else against the bar; ``slice_margin`` is what may be lost."""
    name = quality.get("slice")
    if name is None:
        return []
    margin, bar = _number(quality, "slice_margin"), _number(quality, "bar")
    champion = evaluation.get("champion")
    measured = _get(evaluation, "candidate", "slices")
    compared = measured if champion is None else _get(champion, "slices")
    if margin is None or bar is None or not isinstance(measured, Mapping) or not isinstance(compared, Mapping):
        return [_unreadable("the slices or the slice margin")]
    findings = []
    for value in sorted(set(measured) | set(compared)):
        auc = _number(measured, value, "auc")
        other = bar if champion is None else _number(champion, "slices", value, "auc")
        against = "the bar" if champion is None else "the champion's"
        if auc is None or other is None:
            findings.append(_unreadable(f"the AUC of slice {name}={value}"))
        elif auc < other - margin:
            text = f"On slice {name}={value} the candidate's AUC {auc:.4f} is more than {margin:.4f} below {against} {other:.4f}."
            findings.append(_Finding(False, text))
    return findings or [
        _Finding(True, f"None of {len(measured)} slices by {name} is badly worse (by more than {margin:.4f}).")
    ]


def _challenge(evaluation: Mapping[str, Any], quality: Mapping[str, Any]) -> list[_Finding]:
    low, margin = _number(evaluation, "difference", "low"), _number(quality, "margin")
    difference = _number(evaluation, "difference", "auc")
    if low is None or margin is None or difference is None:
        return [_unreadable("the difference of candidate and champion, or the margin")]
    holds = low > -margin
    word = "above" if holds else "not above"
    text = f"Candidate minus champion is {difference:+.4f} in AUC; its lower bound {low:+.4f} is {word} {-margin:+.4f}."
    return [_Finding(holds, text)]


def _ratchet(
    evaluation: Mapping[str, Any], quality: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> list[_Finding]:
    """Many small losses, each within the margin, must not add up.

    AUCs of different nights were taken on different test sets and are not comparable: one day more or less in the window moves
    them by more than any margin. Each version was compared with its champion on *one* test set, though, so those differences are
    added up along the chain from the champion back (docs/adr/0009-ratchet-adds-up-paired-differences.md).
    """
    recent = list(history)[:HISTORY]
    if not recent:
        return []
    difference, margin = _number(evaluation, "difference", "auc"), _number(quality, "margin")
    above = _above_champion(recent)
    if difference is None or margin is None or above is None:
        return [_unreadable("the difference of the candidate, or of a version that was live, to its champion")]
    version, best = max(above.items(), key=lambda item: item[1])
    holds = difference >= best - 2 * margin
    word = "at most" if holds else "more than"
    text = (
        f"Paired differences added up, the candidate is {difference - best:+.4f} in AUC to version {version}, the best of "
        f"{len(above)} that were live: {word} {2 * margin:.4f} lost."
    )
    return [_Finding(holds, text)]


def _above_champion(recent: Sequence[Mapping[str, Any]]) -> dict[str, float] | None:
    """Version → how much better in AUC than the newest one, for each that a chain of paired differences leads to."""
    above = {str(recent[0].get("version")): 0.0}
    for entry in recent:
        version, champion = str(entry.get("version")), entry.get("champion")
        if version not in above or champion in (None, "none"):
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
