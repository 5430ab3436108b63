"""``baseline.json`` of a bundle: what the data looked like that the model was trained on, as counts.

The monitor compares what arrives with it. Types, and the bin of a value; the standard library only, so that a worker
can import it. ``include.training.baseline`` makes the document.

A column is counted in bins, which have a text each: the number of a range of values, or of a frequent value, and

* ``missing``: null;
* ``below`` and ``above``: outside the tolerated range of a number;
* ``other``: a category that training knew, but that has no bin of its own; ``unknown``: one that it did not know;
* ``present``: a text that is not missing, where there are too many texts to count each.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, Literal, NotRequired, TypedDict

FORMAT = 1
MISSING, BELOW, ABOVE, OTHER, UNKNOWN, PRESENT = "missing", "below", "above", "other", "unknown", "present"
OUTSIDE = (BELOW, ABOVE)
SCORE = "score"

Kind = Literal["number", "category", "text"]
Counts = dict[str, int]
"""Bin → number of rows."""
Range = tuple[float, float] | list[float]
"""The least and the greatest value."""


class Blocks(TypedDict):
    """What single blocks of days looked like, each beside the whole: what is normal for a window of that size.

    The rows of a day are not independent of each other: they share the weather, for example. So the chi-square
    statistic of a block is much larger than for independent rows.

    Attributes:
        number: Number of blocks.
        rows: Mean number of rows of a block.
        psi: The largest population stability index.
        chi_mean: Mean of the chi-square statistics.
        chi_variance: Their variance.
        missing: The largest share of missing values.
        unknown: The largest share of unknown categories, counted as if the block had not been in the training data.
        outside: The largest share of values outside the tolerated range that the other blocks would give.
        mean: Range of the blocks' means; only of numbers.
        spread: Range of their standard deviations; only of numbers.
    """

    number: int
    rows: float
    psi: float
    chi_mean: float
    chi_variance: float
    missing: float
    unknown: float
    outside: float
    mean: NotRequired[Range]
    spread: NotRequired[Range]


Relation = TypedDict(
    "Relation", {"with": str, "codes": NotRequired[dict[str, float]], "of": NotRequired[str], "range": Range}
)
"""Another column with which a column correlates within a block: shuffled values would not.

``codes`` replace the values of the category ``of`` (one of the two columns) by numbers; ``range`` is that of the
blocks' correlations.
"""


class Column(TypedDict):
    """One feature, or one field of the request.

    Attributes:
        kind: How it is counted.
        counts: Rows by bin.
        edges: Of a number: the inner edges of the bins; bin i holds values from edge i - 1 up to, but without, edge i.
        low: The least value that is not ``below``.
        high: The greatest value that is not ``above``.
        values: Of a category: the values that have a bin.
        known: All values that training knew.
        blocks: What is normal for a window; absent where training had too few blocks.
        relation: Absent where no other column correlates clearly.
    """

    kind: Kind
    counts: Counts
    edges: NotRequired[list[float]]
    low: NotRequired[float]
    high: NotRequired[float]
    values: NotRequired[list[str]]
    known: NotRequired[list[str]]
    blocks: NotRequired[Blocks]
    relation: NotRequired[Relation]


class LabelBaseline(TypedDict):
    """Rows, positive labels, and the range of the blocks' positive rates."""

    rows: int
    positives: int
    range: NotRequired[Range]


class Baseline(TypedDict):
    """``baseline.json``.

    Attributes:
        format: Version of the format.
        rows: Number of rows of training and validation.
        block_days: Days of a block, and thus of the window of published days that is compared.
        features: The model's features.
        fields: The fields of the request record, which the prediction log has.
        score: The model's probabilities on the validation split, as a column.
        label: The labels.
    """

    format: int
    rows: int
    block_days: int
    features: dict[str, Column]
    fields: dict[str, Column]
    score: Column
    label: LabelBaseline


def bin_of(column: Column, value: Any) -> str:
    """Returns the bin of one value. ``include.sql.monitor`` does the same in SQL."""
    if value is None or value != value:  # NaN
        return MISSING
    if column["kind"] == "number":
        if value < column["low"]:
            return BELOW
        return ABOVE if value > column["high"] else str(bisect_right(column["edges"], value))
    if column["kind"] == "text":
        return PRESENT
    text = category_text(value)
    if text in column["values"]:
        return str(column["values"].index(text))
    return OTHER if text in column["known"] else UNKNOWN


def category_text(value: Any) -> str:
    """Returns a category as the prediction log and Athena write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
