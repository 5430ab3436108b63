"""Where a version comes from: its data, its code, its jobs, and what they cost."""

from __future__ import annotations

from include.pipelines.card.facts import CardFacts
from include.pipelines.card.markup import ABSENT, Cell, code, facts, paragraph, percent, section, table


def dataset_section(card: CardFacts) -> str:
    """The data set: window, rows, positives, and the days that it leaves out."""
    evaluation = card.evaluation
    dataset = evaluation["dataset"]
    entries: list[tuple[str, Cell]] = [
        ("Version", code(evaluation["dataset_version"])),
        ("As known at", evaluation["cutoff"]),
    ]
    rows: list[list[Cell]] = []
    for name, split in dataset["splits"].items():
        positives = split["positives"]
        share = percent(positives / split["rows"]) if positives is not None and split["rows"] else ABSENT
        counted: Cell = ABSENT if positives is None else positives
        rows.append([name, split["rows"], counted, share, split["first"], split["end"]])
    missing = dataset["missing_days"]
    head = ["split", "rows", "label 1", "share", "from", "to (exclusive)"]
    parts = [facts("Data set", entries), table("Splits", head, rows)]
    if missing:
        title = "Days that it leaves out"
        parts.append(f"<h3>{title}</h3>" + table(title, ["day", "why"], [[*day] for day in missing.items()]))
    return section("dataset", "Data set", *parts)


def lineage_section(card: CardFacts) -> str:
    """What made the version, by digest."""
    metadata, evaluation = card.package.metadata, card.evaluation
    model = evaluation["model"]
    entries: list[tuple[str, Cell]] = [
        ("Model package", code(card.package.arn)),
        ("Bundle", code(metadata["bundle_digest"])),
        ("Bundle's URI", code(metadata["bundle_uri"])),
        ("Champion's bundle", code(evaluation["champion_digest"] or "none")),
        ("Data set", code(evaluation["dataset_version"])),
        ("Code", code(model["code_sha"])),
        ("Feature code", code(model["feature_code_hash"])),
        ("Training image", code(metadata["image"])),
        ("Serving engine", model["engine"]),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in sorted(model["libraries"].items()))),
        ("Evaluation", code(f"{metadata['evaluation_uri']} sha256 {metadata['evaluation_sha256']}")),
        ("Decision", code(f"{metadata['decision_uri']} sha256 {metadata['decision_sha256']}")),
        *((f"Submit key: {what}", code(key)) for what, key in card.jobs.items()),
    ]
    return section("lineage", "Lineage", facts("Lineage", entries))


def cost_section(card: CardFacts) -> str:
    """What the jobs that made it cost."""
    cost = card.package.metadata["cost_usd"]
    known = cost.replace(".", "", 1).isdecimal()
    text = (
        f"Its training job, its evaluation job and the queries of its data set cost about {cost} USD."
        if known
        else "The cost of its jobs is unknown: an instance type has no price in the table."
    )
    return section("cost", "Cost", paragraph(text))
