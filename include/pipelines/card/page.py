"""The page of one version."""

from __future__ import annotations

from html import escape

from include.lake import resources
from include.pipelines.card.facts import CardFacts
from include.pipelines.card.inside import distribution_section, importance_section
from include.pipelines.card.measured import comparison_section, metrics_section, slices_section
from include.pipelines.card.origin import cost_section, dataset_section, lineage_section
from include.pipelines.card.purpose import decision_section, limits_section, purpose_section
from include.pipelines.card.style import POLICY, STYLE
from include.pipelines.promotion.packages import PROMOTED

SECTIONS = (
    decision_section,
    purpose_section,
    dataset_section,
    metrics_section,
    comparison_section,
    slices_section,
    importance_section,
    distribution_section,
    limits_section,
    lineage_section,
    cost_section,
)


def card_page(facts: CardFacts) -> str:
    """Returns the card: one page that loads nothing and runs nothing."""
    package, name = facts.package, facts.workload.name
    title = f"Model card: {name}, version {package.version}"
    word = "promoted" if package.metadata["decision"] == PROMOTED else "refused"
    body = "".join(make(facts) for make in SECTIONS)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>{escape(title)}</title><style>{STYLE}</style></head>
<body><main>
<h1>{escape(title)}</h1>
<p><span class="badge {word}">{word}</span> trained for {escape(package.metadata["day"])}, registered as
{escape(package.status)} in the group {escape(resources.model_group(name))}</p>
{body}</main></body></html>
"""
