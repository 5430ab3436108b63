"""What a version looks at: how important its features are, and how they are distributed."""

from __future__ import annotations

from include.model.evaluation import FeatureDistribution
from include.pipelines.card.facts import CardFacts
from include.pipelines.card.markup import decimals, figures, paragraph, percent, section, table
from include.pipelines.card.plots import bars, histogram

DRAWN = 15  # features in the bar chart; the table has all


def importance_section(card: CardFacts) -> str:
    """Permutation importance on the test set."""
    importance = card.evaluation["importance"]
    if importance is None:
        text = "Not computed: the rows that it is computed on have one class only."
        return section("importance", "Feature importance", paragraph(text))
    note = (
        f"What the model loses in AUC when a feature's values are shuffled among {importance['rows']:,} test rows, "
        f"{importance['repeats']} times. A feature that others stand in for looks unimportant."
    )
    features = importance["features"]
    drawing = bars("Loss in AUC", [(entry["feature"], entry["drop"]) for entry in features[:DRAWN]])
    rows = [[entry["feature"], decimals(entry["drop"]), decimals(entry["deviation"])] for entry in features]
    head = ["feature", "mean loss in AUC", "standard deviation"]
    title = "Feature importance"
    return section("importance", title, paragraph(note), figures(drawing), table(title, head, rows))


def distribution_section(card: CardFacts) -> str:
    """How the features are distributed: what drift is looked for against."""
    found = card.evaluation["distributions"]
    note = f"Share of the {found['rows_of']} rows in each bin, with what the first and the last bin are."
    drawings = [_drawn(name, distribution) for name, distribution in found["features"].items()]
    return section("distributions", "Distribution of the features", paragraph(note), figures(*drawings))


def _drawn(name: str, found: FeatureDistribution) -> str:
    missing = f", {percent(found['missing'])} missing" if found["missing"] else ""
    ends = (found["labels"][0], found["labels"][-1]) if found["labels"] else ("no value", "")
    return histogram(f"{name}{missing}", found["shares"], ends)
