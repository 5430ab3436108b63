"""The search space of a tuning job: its parameter ranges, and how trials are drawn from them.

Every value is a text, as in SageMaker's API. A range maps the interval from 0 to 1 to its values by its scaling type.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from moto.sagemaker.exceptions import ValidationError

Parameters = dict[str, str]

# The scaling type Auto is Logarithmic for a range of positive numbers with at least this ratio, else Linear.
_AUTO_RATIO = 100.0
# How often another random combination is drawn in place of one that was tried before.
_DRAWS = 100


@dataclass(frozen=True)
class NumberRange:
    """An integer or continuous range, both ends included."""

    name: str
    low: float
    high: float
    scaling: str
    whole: bool

    def at(self, share: float) -> str:
        """The value at a share (0 to 1) of the scaled range."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        value = min(max(self._unscaled(low + share * (high - low)), self.low), self.high)
        return str(round(value)) if self.whole else repr(value)

    def share(self, text: str) -> float:
        """The share of the scaled range at which a value lies: the inverse of :meth:`at`."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        return 0.0 if high == low else (self._scaled(float(text)) - low) / (high - low)

    def _scaled(self, value: float) -> float:
        if self.scaling == "Logarithmic":
            return math.log(value)
        return -math.log1p(-value) if self.scaling == "ReverseLogarithmic" else value

    def _unscaled(self, value: float) -> float:
        if self.scaling == "Logarithmic":
            return math.exp(value)
        return -math.expm1(-value) if self.scaling == "ReverseLogarithmic" else value


@dataclass(frozen=True)
class Choice:
    """A categorical range."""

    name: str
    values: tuple[str, ...]

    def at(self, share: float) -> str:
        """The value at a share (0 to 1)."""
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]


Range = NumberRange | Choice


def read_ranges(given: Mapping[str, Any]) -> tuple[Range, ...]:
    """Reads ParameterRanges.

    Raises:
        ValidationError: A range is no range, or there is none.
    """
    ranges: list[Range] = [_number(entry, whole=True) for entry in given.get("IntegerParameterRanges") or []]
    ranges += [_number(entry, whole=False) for entry in given.get("ContinuousParameterRanges") or []]
    ranges += [
        Choice(entry["Name"], tuple(dict.fromkeys(entry["Values"])))
        for entry in given.get("CategoricalParameterRanges") or []
    ]
    names = [entry.name for entry in ranges]
    if not names:
        raise ValidationError("ParameterRanges must contain at least one range.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValidationError(f"Each hyperparameter may have one range only: {', '.join(twice)}.")
    return tuple(ranges)


def _number(entry: Mapping[str, Any], *, whole: bool) -> NumberRange:
    name, scaling = entry["Name"], entry.get("ScalingType", "Auto")
    try:
        low, high = ((int if whole else float)(entry[bound]) for bound in ("MinValue", "MaxValue"))
    except ValueError:
        kind = "integers" if whole else "numbers"
        raise ValidationError(f"MinValue and MaxValue of {name} must be {kind}.") from None
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValidationError(f"MinValue of {name} must not be above its MaxValue: {low} to {high}.")
    if scaling == "Auto":
        scaling = "Logarithmic" if low > 0 and high / low >= _AUTO_RATIO else "Linear"
    if scaling == "Logarithmic" and low <= 0:
        raise ValidationError(f"Logarithmic scaling needs values above 0; {name} begins at {low}.")
    if scaling == "ReverseLogarithmic" and (whole or low < 0 or high >= 1):
        raise ValidationError(f"ReverseLogarithmic scaling needs a continuous range within 0 <= x < 1, unlike {name}.")
    return NumberRange(name, low, high, scaling, whole)


def grid(ranges: tuple[Range, ...]) -> Iterator[Parameters]:
    """Every combination of categorical values, in the order of the request.

    Raises:
        ValidationError: A range is not categorical.
    """
    if numbers := [entry.name for entry in ranges if isinstance(entry, NumberRange)]:
        raise ValidationError(f"Strategy Grid takes categorical ranges only, unlike {', '.join(numbers)}.")
    choices = [entry.values for entry in ranges if isinstance(entry, Choice)]
    names = [entry.name for entry in ranges]
    return (dict(zip(names, values, strict=True)) for values in product(*choices))


def grid_size(ranges: tuple[Range, ...]) -> int:
    """The number of combinations of a grid. Raises as :func:`grid`."""
    grid(ranges)
    return math.prod(len(entry.values) for entry in ranges if isinstance(entry, Choice))


def grid_point(ranges: tuple[Range, ...], index: int) -> Parameters:
    """The combination at an index of the grid."""
    return next(islice(grid(ranges), index, None))


def random_point(ranges: tuple[Range, ...], seed: int, index: int, tried: Collection[Parameters]) -> Parameters:
    """The combination of a trial: the same for the same seed and index, and new unless the space is exhausted."""
    drawn = random.Random(f"{seed} {index}")
    point = _draw(ranges, drawn)
    for _ in range(_DRAWS):
        if point not in tried:
            break
        point = _draw(ranges, drawn)
    return point


def _draw(ranges: tuple[Range, ...], drawn: random.Random) -> Parameters:
    return {entry.name: entry.at(drawn.random()) for entry in ranges}
