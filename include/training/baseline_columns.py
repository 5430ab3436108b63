"""One column of a baseline: its bins, and what its blocks of days looked like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.model.baseline import MISSING, OTHER, PRESENT, Blocks, Column, Counts
from include.model.drift_statistics import chi_square, psi

BINS = 10  # of a number with many values, at its deciles
MANY_VALUES = 12  # a number with at most as many different values has a bin for each
LISTED = 20  # categories with a bin of their own
KNOWN = 300  # of a text with more different values only the missing ones are counted; a query has 256 KiB
TOLERANCE = 0.25  # of the range of the training data; values further outside are out of range
FEWEST_BLOCKS = 7
FEWEST_VALUES = 20  # of a block, for its mean and standard deviation


@dataclass(frozen=True)
class Values:
    """The values of a column.

    Attributes:
        numbers: float64 array of shape (rows,), NaN for missing; None for texts.
        codes: int array of shape (rows,): position in ``texts``, -1 for missing; None for numbers.
        texts: The different texts.
        is_opaque: Whether only missing values are counted.
    """

    numbers: np.ndarray | None = None
    codes: np.ndarray | None = None
    texts: tuple[str, ...] = ()
    is_opaque: bool = False

    @classmethod
    def of(cls, column: pa.ChunkedArray, *, is_number: bool, is_opaque: bool = False) -> Values:
        """Reads a column of a data set."""
        if is_number:
            return cls.of_numbers(column.cast(pa.float64()).to_numpy())
        encoded = pc.dictionary_encode(column.cast(pa.string()).combine_chunks())
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        return cls(codes=codes.astype(np.int64), texts=tuple(encoded.dictionary.to_pylist()), is_opaque=is_opaque)

    @classmethod
    def of_numbers(cls, numbers: np.ndarray) -> Values:
        """Takes numbers as they are; those that are not finite count as missing."""
        numbers = np.asarray(numbers, dtype=np.float64)
        return cls(numbers=np.where(np.isfinite(numbers), numbers, np.nan))


def counted(values: Values, blocks: np.ndarray) -> Column:
    """Counts a column.

    Args:
        values: Its values.
        blocks: The block of each row, or -1.
    """
    numbers = values.numbers
    if numbers is not None and np.isfinite(numbers).any():
        return _number(numbers, blocks)
    if numbers is None and not values.is_opaque and 0 < len(values.texts) <= KNOWN:
        return _category(values, blocks)
    missing = np.isnan(numbers) if numbers is not None else np.asarray(values.codes) == -1
    labels = [PRESENT, MISSING]
    codes = missing.astype(np.int64)
    return _with_blocks({"kind": "text", "counts": _counts(codes, labels)}, codes, labels, blocks)


def tolerated(low: float, high: float) -> tuple[float, float]:
    """Returns the range of values that are not out of range, from the range of those that training saw."""
    margin = TOLERANCE * (high - low) if high > low else max(abs(high) * TOLERANCE, 1e-9)
    return low - margin, high + margin


def _number(numbers: np.ndarray, blocks: np.ndarray) -> Column:
    finite = numbers[~np.isnan(numbers)]
    distinct = np.unique(finite)
    wanted = distinct if len(distinct) <= MANY_VALUES else np.quantile(finite, np.arange(1, BINS) / BINS)
    edges = [float(edge) for edge in np.unique(wanted) if edge > distinct[0]]
    low, high = tolerated(float(distinct[0]), float(distinct[-1]))
    labels = [*map(str, range(len(edges) + 1)), MISSING]
    codes = np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers, side="right"))
    column: Column = {"kind": "number", "counts": _counts(codes, labels), "edges": edges, "low": low, "high": high}
    column = _with_blocks(column, codes, labels, blocks)
    if "blocks" in column:
        _add_moments(column["blocks"], numbers, blocks)
    return column


def _category(values: Values, blocks: np.ndarray) -> Column:
    codes = values.codes
    if codes is None:
        raise ValueError("numbers are no categories: count them as numbers")
    frequency = np.bincount(codes[codes >= 0], minlength=len(values.texts))
    order = sorted(range(len(values.texts)), key=lambda index: (-frequency[index], values.texts[index]))
    listed = order[:LISTED]
    labels = [*map(str, range(len(listed))), OTHER, MISSING]
    place = np.full(len(values.texts) + 1, len(listed))  # the last one is of code -1
    place[listed] = np.arange(len(listed))
    place[-1] = len(listed) + 1
    binned = place[codes]
    column: Column = {
        "kind": "category",
        "counts": _counts(binned, labels),
        "values": [values.texts[index] for index in listed],
        "known": sorted(values.texts),
    }
    column = _with_blocks(column, binned, labels, blocks)
    if "blocks" in column:
        column["blocks"]["unknown"] = _largest_unknown(codes, len(values.texts), blocks)
    return column


def _with_blocks(column: Column, codes: np.ndarray, labels: list[str], blocks: np.ndarray) -> Column:
    """Adds what the blocks looked like, each beside the others; nothing where there are few."""
    number = int(blocks.max(initial=-1)) + 1
    if number < FEWEST_BLOCKS:
        return column
    inside = blocks >= 0
    width = len(labels)
    table = np.bincount(blocks[inside] * width + codes[inside], minlength=number * width).reshape(number, width)
    total, indexes, statistics = table.sum(axis=0), [], []
    for block in table:
        rest, own = _named(total - block, labels), _named(block, labels)
        indexes.append(psi(rest, own))
        statistics.append(chi_square(rest, own).value)
    described: Blocks = {
        "number": number,
        "rows": float(table.sum() / number),
        "psi": max(indexes),
        "chi_mean": float(np.mean(statistics)),
        "chi_variance": float(np.var(statistics, ddof=1)),
        "missing": float((table[:, labels.index(MISSING)] / table.sum(axis=1).clip(1)).max()),
        "unknown": 0.0,
        "outside": 0.0,
    }
    return {**column, "blocks": described}


def _add_moments(described: Blocks, numbers: np.ndarray, blocks: np.ndarray) -> None:
    means, spreads, groups = [], [], []
    for block in range(described["number"]):
        found = numbers[(blocks == block) & ~np.isnan(numbers)]
        groups.append(found)
        if len(found) >= FEWEST_VALUES:
            means.append(float(found.mean()))
            spreads.append(float(found.std(ddof=1)))
    if len(means) >= FEWEST_BLOCKS:
        described["mean"], described["spread"] = (min(means), max(means)), (min(spreads), max(spreads))
    ends = [(float(group.min()), float(group.max())) for group in groups if len(group)]
    shares = [0.0]
    for group in (group for group in groups if len(group)):
        own = (float(group.min()), float(group.max()))
        others = list(ends)
        others.remove(own)
        if others:
            low, high = tolerated(min(low for low, _ in others), max(high for _, high in others))
            shares.append(float(((group < low) | (group > high)).mean()))
    described["outside"] = max(shares)


def _largest_unknown(codes: np.ndarray, texts: int, blocks: np.ndarray) -> float:
    """The largest share of a block's rows whose category is in no other block."""
    inside = (blocks >= 0) & (codes >= 0)
    number = int(blocks.max()) + 1
    table = np.bincount(blocks[inside] * texts + codes[inside], minlength=number * texts).reshape(number, texts)
    alone = (table > 0).sum(axis=0) == 1
    rows = np.bincount(blocks[blocks >= 0], minlength=number)
    return float((table[:, alone].sum(axis=1) / rows.clip(1)).max())


def _counts(codes: np.ndarray, labels: list[str]) -> Counts:
    return {label: int(count) for label, count in zip(labels, np.bincount(codes, minlength=len(labels)), strict=True)}


def _named(row: np.ndarray, labels: list[str]) -> dict[str, float]:
    return {label: float(count) for label, count in zip(labels, row, strict=True)}
