"""The report of a shadow as a page for people: it loads nothing and runs nothing, and every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from include.model.shadow import SCORE_BINS, Problems, ShadowReport
from include.pipelines.card.markup import Cell, code, decimals, facts, items, paragraph, section, signed, table
from include.pipelines.card.style import POLICY, STYLE
from include.pipelines.deploy.shadow.compare import ShadowVerdict, changed, share
from include.workloads import Workload
from include.workloads.deploying import ShadowSpec


def shadow_page(
    workload: Workload, versions: tuple[int, int], report: ShadowReport, verdict: ShadowVerdict, hours: Sequence[str]
) -> str:
    """Returns the page.

    Args:
        workload: The workload, which has a shadow.
        versions: The live version and the new one.
        report: What the job has found.
        verdict: What was decided by it.
        hours: What was read of the prediction log.
    """
    assert workload.deploy.shadow is not None
    title = f"Shadow: {workload.name}, version {versions[1]} beside version {versions[0]}"
    word, kind = ("goes on", "promoted") if verdict["go_on"] else ("stopped", "refused")
    sections = (
        section("verdict", "Decision", items(verdict["reasons"])),
        section("limits", "Measured, and allowed", _limits(report, workload.deploy.shadow)),
        section("answers", "Answers", _answers(report)),
        section("problems", "Not answered", _problems(report)),
        section("scores", "Scores", _scores(report)),
        section("origin", "What was compared", _origin(report, hours)),
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>{escape(title)}</title><style>{STYLE}</style></head>
<body><main>
<h1>{escape(title)}</h1>
<p><span class="badge {kind}">{word}</span> {report["requests"]:,} requests that version {versions[0]} had answered were
scored by version {versions[1]}; nobody got its answers.</p>
{"".join(sections)}</main></body></html>
"""


def _limits(report: ShadowReport, spec: ShadowSpec) -> str:
    requests, latency, differences = report["requests"], report["latency"], report["differences"]
    missing = report["refused"]["requests"] + report["failed"]["requests"]
    factor = latency["candidate"]["median"] / latency["live"]["median"] if latency else None
    rows: list[tuple[Cell, ...]] = [
        ("requests", requests, f"at least {spec.minimum_requests:,}"),
        ("not answered", share(missing, requests), f"{spec.refused:.2%}"),
        ("mean difference", decimals(differences["absolute"] if differences else None), f"{spec.score_difference:g}"),
        ("other labels", share(changed(report), requests), f"{spec.changed_labels:.2%}"),
        ("median time, times the live version's", decimals(factor, 2), f"{spec.latency_factor:g}"),
    ]
    return table("Measured, and allowed", ("limit", "measured", "allowed"), rows)


def _answers(report: ShadowReport) -> str:
    found: list[tuple[str, Cell]] = []
    if differences := report["differences"]:
        found += [
            ("mean difference, new minus live", signed(differences["mean"])),
            ("mean of the absolute differences", decimals(differences["absolute"], 6)),
            ("their 95th percentile", decimals(differences["p95"], 6)),
            ("the largest", decimals(differences["largest"], 6)),
        ]
    found += [
        ("label 1 in place of 0", report["changed"]["to_1"]),
        ("label 0 in place of 1", report["changed"]["to_0"]),
    ]
    for name, words in (("live", "the live version"), ("candidate", "the new version")):
        if report["latency"]:
            times = report["latency"][name]
            found.append((f"time of {words}", f"{times['median']:.0f} µs median, {times['p95']:.0f} µs p95"))
    control = report["control"]
    found.append(
        (
            "the live version, scored again",
            f"{control['differing']} of {control['requests']} answers differ from the log",
        )
    )
    return facts("Answers", found)


def _problems(report: ShadowReport) -> str:
    parts = [_reasons("refused", report["refused"]), _reasons("failed", report["failed"])]
    return "".join(parts) or paragraph("The new version answers every request.")


def _reasons(word: str, problems: Problems) -> str:
    if not problems["requests"]:
        return ""
    reasons = sorted(problems["reasons"].items(), key=lambda entry: (-entry[1], entry[0]))
    title = f"{word}: {problems['requests']:,} requests"
    return table(title, (title, "requests"), reasons)


def _scores(report: ShadowReport) -> str:
    rows: list[tuple[Cell, ...]] = [
        (f"{number / SCORE_BINS:.1f} to {(number + 1) / SCORE_BINS:.1f}", live, new)
        for number, (live, new) in enumerate(zip(report["scores"]["live"], report["scores"]["candidate"], strict=True))
    ]
    return table("Scores", ("probability", "live", "new"), rows)


def _origin(report: ShadowReport, hours: Sequence[str]) -> str:
    read = report["read"]
    log = facts(
        "What was compared",
        [
            ("lines of the prediction log", read["lines"]),
            ("answered by the live version", read["answered"]),
            ("unreadable", read["unreadable"]),
            ("first request", read["first"] or "none"),
            ("last request", read["last"] or "none"),
            ("live bundle", code(report["live_digest"])),
            ("new bundle", code(report["candidate_digest"])),
        ],
    )
    text = "The log has what the live version has answered. Requests that it refused are not among them."
    return paragraph(text) + log + items(hours)
