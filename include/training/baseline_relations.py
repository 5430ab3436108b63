"""Which columns correlate with each other within a block of days. Values that are shuffled lose that.

A category is replaced by the mean of the number that it is compared with (its correlation is then the correlation
ratio: Fisher, Statistical Methods for Research Workers, 1925).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from include.model.baseline import Column, Relation
from include.training.baseline_columns import FEWEST_BLOCKS, FEWEST_VALUES, Values

CLEAR = 0.3  # a weaker correlation says nothing about a day
TRIED = 5
CODED = 60  # categories that get a number


class _Pair(NamedTuple):
    strength: float
    other: str
    codes: dict[str, float] | None
    of: str | None
    """The category of the pair, if one of the two is."""


def related(values: Mapping[str, Values], columns: Mapping[str, Column], blocks: np.ndarray) -> dict[str, Relation]:
    """Returns the relation of each column that has a clear one.

    Args:
        values: The columns' values.
        columns: The columns, counted.
        blocks: The block of each row, or -1.
    """
    number = int(blocks.max(initial=-1)) + 1
    if number < FEWEST_BLOCKS:
        return {}
    result = {}
    for name, candidates in _candidates(values, columns, blocks, number).items():
        for pair in sorted(candidates, key=lambda pair: (-pair.strength, pair.other))[:TRIED]:
            if pair.strength < CLEAR:
                break
            left, right = (_as_numbers(values[one], pair) for one in (name, pair.other))
            found = list(_by_block(left, right, blocks, number))
            if len(found) >= FEWEST_BLOCKS and min(found) * max(found) > 0 and min(map(abs, found)) >= CLEAR / 2:
                result[name] = _relation(pair, found)
                break
    return result


def _candidates(
    values: Mapping[str, Values], columns: Mapping[str, Column], blocks: np.ndarray, number: int
) -> dict[str, list[_Pair]]:
    """Each column's pairs with the others, with the strength of their correlation within blocks."""
    numbers = {
        name: found.numbers
        for name, found in values.items()
        if found.numbers is not None and columns[name]["kind"] == "number"
    }
    centred = {name: _centred(found, blocks, number) for name, found in numbers.items()}
    categories = [name for name in values if columns[name]["kind"] == "category"]
    pairs: dict[str, list[_Pair]] = {name: [] for name in values}
    for left in numbers:
        for right in numbers:
            if left != right:
                strength = abs(_correlation(centred[left], centred[right]))
                pairs[left].append(_Pair(strength, right, None, None))
    for category in categories:
        codes = _codes(values[category], columns[category])
        for name, found in numbers.items():
            coded, mapping = _mean_coded(values[category], codes, found)
            strength = abs(_correlation(_centred(coded, blocks, number), centred[name]))
            pairs[category].append(_Pair(strength, name, mapping, category))
            pairs[name].append(_Pair(strength, category, mapping, category))
    return pairs


def _relation(pair: _Pair, found: Sequence[float]) -> Relation:
    relation: Relation = {"with": pair.other, "range": (min(found), max(found))}
    if pair.codes is not None and pair.of is not None:
        relation["codes"], relation["of"] = pair.codes, pair.of
    return relation


def _codes(values: Values, column: Column) -> list[int]:
    """The positions of the most frequent categories."""
    codes = np.asarray(values.codes)
    frequency = np.bincount(codes[codes >= 0], minlength=len(values.texts))
    return sorted(range(len(values.texts)), key=lambda index: (-frequency[index], values.texts[index]))[:CODED]


def _mean_coded(values: Values, codes: Sequence[int], numbers: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
    every = np.asarray(values.codes)
    known = ~np.isnan(numbers) & (every >= 0)
    own = every[known]
    rows = np.bincount(own, minlength=len(values.texts))
    sums = np.bincount(own, weights=numbers[known], minlength=len(values.texts))
    mapping = {values.texts[code]: float(sums[code] / rows[code]) for code in codes if rows[code]}
    return _mapped(values, mapping), mapping


def _mapped(values: Values, mapping: Mapping[str, float]) -> np.ndarray:
    table = np.array([*(mapping.get(text, np.nan) for text in values.texts), np.nan])
    return table[values.codes]


def _as_numbers(values: Values, pair: _Pair) -> np.ndarray:
    if values.numbers is not None:
        return values.numbers
    return _mapped(values, pair.codes or {})


def _centred(numbers: np.ndarray, blocks: np.ndarray, number: int) -> np.ndarray:
    """The numbers minus the mean of their block; NaN outside the blocks."""
    known = ~np.isnan(numbers) & (blocks >= 0)
    rows = np.bincount(blocks[known], minlength=number).clip(1)
    means = np.bincount(blocks[known], weights=numbers[known], minlength=number) / rows
    return np.where(known, numbers - means[blocks], np.nan)


def _correlation(left: np.ndarray, right: np.ndarray) -> float:
    known = ~np.isnan(left) & ~np.isnan(right)
    if known.sum() < FEWEST_VALUES:
        return 0.0
    a, b = left[known], right[known]
    a, b = a - a.mean(), b - b.mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 else 0.0


def _by_block(left: np.ndarray, right: np.ndarray, blocks: np.ndarray, number: int) -> Iterator[float]:
    for block in range(number):
        inside = blocks == block
        if (~np.isnan(left[inside]) & ~np.isnan(right[inside])).sum() >= FEWEST_VALUES:
            yield _correlation(left[inside], right[inside])
