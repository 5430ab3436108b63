"""Reads the results of the two queries (``include.sql.monitor``): each row has a measure, an entry and a number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from include.model.baseline import Counts
from include.pipelines.monitor.types import Moments

NO_MOMENTS: Moments = {"mean": None, "spread": None, "correlation": None}


@dataclass
class QueryCounts:
    """What a query counted.

    Attributes:
        rows: Rows of the window.
        counts: Column → bin → rows.
        moments: Column → its moments.
        labels: Label → rows.
        versions: Version → predictions.
        judged: The parts of each entry of predictions with a label, and their number.
        delay: The parts of the entry of delays, and their number.
        skew: Field (empty: any) → rows that differ.
        compared: Rows that were compared.
    """

    rows: int = 0
    counts: dict[str, Counts] = field(default_factory=dict)
    moments: dict[str, Moments] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    judged: list[tuple[list[str], int]] = field(default_factory=list)
    delay: tuple[list[str], int] = (["", ""], 0)
    skew: dict[str, int] = field(default_factory=dict)
    compared: int = 0


def read_counts(rows: Iterable[Mapping[str, str | None]], columns: Sequence[str]) -> QueryCounts:
    """Reads a result.

    Args:
        rows: The rows.
        columns: The columns by their numbers in the entries.
    """
    found = QueryCounts(counts={name: {} for name in columns})
    for row in rows:
        measure, entry, number = row["measure"], row["entry"] or "", int(row["row_count"] or 0)
        if measure == "bin":
            index, _, name = entry.partition(":")
            found.counts[columns[int(index)]][name] = number
        elif measure == "moments":
            index, mean, spread, correlation = entry.split("|")
            values = [as_number(text) for text in (mean, spread, correlation)]
            found.moments[columns[int(index)]] = {"mean": values[0], "spread": values[1], "correlation": values[2]}
        elif measure == "rows":
            found.rows = number
        elif measure == "label":
            found.labels[entry] = number
        elif measure == "version":
            found.versions[entry] = number
        elif measure == "judged":
            found.judged.append((entry.split("|"), number))
        elif measure == "delay":
            found.delay = entry.split("|"), number
        elif measure == "skew":
            name, _, differing = entry.rpartition("|")
            found.skew[name], found.compared = int(as_number(differing) or 0), number
    return found


def as_number(text: Any) -> float | None:
    """Returns a number of a result; None for none, and for one that is not finite."""
    number = float(text) if text else math.nan
    return number if math.isfinite(number) else None
