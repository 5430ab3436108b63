"""Decides by what a shadow job has found. Pure functions (ADR 58).

Both versions have scored the same requests, so their answers are compared one by one, and chance plays no part.
"""

from __future__ import annotations

from typing import TypedDict

from include.model.shadow import Problems, ShadowReport
from include.workloads.deploying import ShadowSpec

EARLIEST_REQUESTS = 30  # with fewer, no fault is seen
LARGEST_UNLIKE = 0.01  # share of the requests for which the live version may answer something else than it did
LATENCY_SLACK = 200.0  # microseconds; differences below this are noise


class ShadowVerdict(TypedDict):
    """What a comparison came to."""

    go_on: bool
    fault: bool
    """Whether the version is at fault, so that it is rejected."""
    reasons: list[str]


def verdict(report: ShadowReport, spec: ShadowSpec) -> ShadowVerdict:
    """Decides whether the deploy goes on.

    Args:
        report: What the job has found.
        spec: The workload's limits.
    """
    requests, control = report["requests"], report["control"]
    if control["differing"] > LARGEST_UNLIKE * requests:
        text = (
            f"The comparison says nothing: scored again, the live version answers {control['differing']} of {requests} "
            "requests otherwise than it did. Compare the log with the service, and the libraries of the two images."
        )
        return {"go_on": False, "fault": False, "reasons": [text]}
    faults = [fault for fault in (_refused(report, spec), *_differences(report, spec), _latency(report, spec)) if fault]
    enough = requests >= spec.minimum_requests
    if faults and (enough or requests >= EARLIEST_REQUESTS):
        return {"go_on": False, "fault": True, "reasons": [*faults, f"Compared on {requests} requests."]}
    if not enough:
        return too_few(requests, spec)
    return {"go_on": True, "fault": False, "reasons": [found(report)]}


def too_few(requests: int, spec: ShadowSpec) -> ShadowVerdict:
    """Decides where there are too few requests."""
    text = (
        f"Too little traffic for a comparison: the live version has answered {requests} requests in the newest "
        f"{spec.hours} hours of the prediction log, fewer than {spec.minimum_requests}."
    )
    rule = "it is deployed" if spec.too_few == "deploy" else "it is not deployed"
    return {"go_on": spec.too_few == "deploy", "fault": False, "reasons": [text, f"By the rule too_few, {rule}."]}


def found(report: ShadowReport) -> str:
    """Says in a sentence how the answers differ."""
    differences, labels = report["differences"], changed(report)
    parts = [f"{report['requests']} requests scored again"]
    if differences:
        parts.append(
            f"mean difference of the probabilities {differences['absolute']:.4f}, largest {differences['largest']:.4f}"
        )
    parts.append(f"{labels} other labels ({share(labels, report['requests'])})")
    parts.append(f"{report['refused']['requests']} refused, {report['failed']['requests']} failed")
    return "; ".join([*parts, _times(report)]) + "."


def changed(report: ShadowReport) -> int:
    """The number of requests that get another label."""
    return report["changed"]["to_1"] + report["changed"]["to_0"]


def share(number: int, of: int) -> str:
    """A share as a percentage."""
    return f"{number / of:.2%}" if of else "n/a"


def _refused(report: ShadowReport, spec: ShadowSpec) -> str:
    refused, failed, requests = report["refused"], report["failed"], report["requests"]
    number = refused["requests"] + failed["requests"]
    if number <= spec.refused * requests:
        return ""
    return (
        f"It does not answer {number} of {requests} requests ({share(number, requests)}), {spec.refused:.2%} are "
        f"allowed: {refused['requests']} refused{_most_frequent(refused)}, "
        f"{failed['requests']} failed{_most_frequent(failed)}."
    )


def _most_frequent(problems: Problems) -> str:
    reason = next(iter(sorted(problems["reasons"], key=lambda text: -problems["reasons"][text])), "")
    return f" (most of them: {reason})" if reason else ""


def _differences(report: ShadowReport, spec: ShadowSpec) -> list[str]:
    differences, labels, requests = report["differences"], changed(report), report["requests"]
    reasons = []
    if differences and differences["absolute"] > spec.score_difference:
        reasons.append(
            f"It scores otherwise: the probabilities differ by {differences['absolute']:.4f} in the mean (new minus "
            f"live {differences['mean']:+.4f}), {spec.score_difference:g} is allowed."
        )
    if labels > spec.changed_labels * requests:
        to_1, to_0 = report["changed"]["to_1"], report["changed"]["to_0"]
        reasons.append(
            f"It decides otherwise: {labels} of {requests} requests get another label ({share(labels, requests)}: "
            f"{to_1} get 1, {to_0} get 0), {spec.changed_labels:.2%} are allowed."
        )
    return reasons


def _latency(report: ShadowReport, spec: ShadowSpec) -> str:
    latency = report["latency"]
    if not latency:
        return ""
    if latency["candidate"]["median"] <= latency["live"]["median"] * spec.latency_factor + LATENCY_SLACK:
        return ""
    return f"It is slower: {_times(report)}; {spec.latency_factor:g} times as much is allowed."


def _times(report: ShadowReport) -> str:
    latency = report["latency"]
    if not latency:
        return "no time to compare"
    new, live = latency["candidate"]["median"], latency["live"]["median"]
    return f"{new:.0f} µs a request (median), the live version {live:.0f} µs"
