"""What a backfill will take, from what past runs took. Pure.

A run takes a fixed part (starting two jobs) and a part for each record that it reads. The line through the past runs is
a Theil–Sen one: the weighted median of the slopes between all pairs, so that a single slow run does not bend it, with
the difference in records as weight, because the slope between two runs of about one size is noise. Every number comes
with a low and a high one; without a past run there is none.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Literal, TypedDict

from include.pipelines.measurements import Measurement

START_SECONDS = 10
"""What the short tasks of a chunk take before its plan, on top of one interval of polling."""
START_ROWS = 40_000
"""How many records take as long as starting the two jobs of a run, where past runs do not say it: measured on flights,
where 58 days with 107,000 records took 3 to 7 times as long as one with 2,000."""
_LEAST_SPREAD, _SPREAD_OF_TWO = 0.1, 0.25
_SAME_SIZE = 0.2  # runs whose numbers of records differ by less say nothing about the slope

End = Literal["likely", "low", "high"]
Point = tuple[float, float]
"""Records, and what a run with so many took."""


class Amount(TypedDict):
    """An estimated number."""

    likely: float
    low: float
    high: float


class Estimate(TypedDict):
    """What a backfill will take. None: no past run says it."""

    seconds: Amount | None
    usd: Amount | None
    basis: str
    """A sentence for people: on what the numbers rest."""


@dataclass(frozen=True)
class Line:
    """What a run takes by the records that it reads.

    Attributes:
        fixed: The part that does not depend on them.
        per_row: The part for each.
        spread: How far past runs are from the line, relative.
        largest: Records of the largest past run. Beyond it, the spread grows.
        is_split_known: False if all past runs had one size: the fixed part is then that of ``START_ROWS`` records.
    """

    fixed: float
    per_row: float
    spread: float
    largest: float
    is_split_known: bool

    def at(self, rows: float) -> Amount:
        """Returns what a run with so many records takes."""
        likely = self.fixed + self.per_row * rows
        if not self.is_split_known:
            whole = self.fixed + self.per_row * self.largest
            ends = sorted((whole, whole * rows / self.largest if self.largest else whole))
            return {"likely": likely, "low": ends[0] * (1 - self.spread), "high": ends[1] * (1 + self.spread)}
        wide = min(self.spread * max(1.0, rows / self.largest if self.largest else 1.0) ** 0.5, 0.9)
        return {"likely": likely, "low": likely * (1 - wide), "high": likely * (1 + wide)}


def fit(points: Sequence[Point]) -> Line | None:
    """Returns the line through past runs; None without any."""
    if not points:
        return None
    largest = max(rows for rows, _ in points)
    slopes = [
        ((y1 - y0) / (x1 - x0), abs(x1 - x0))
        for (x0, y0), (x1, y1) in combinations(points, 2)
        if abs(x1 - x0) > _SAME_SIZE * max(x0, x1)
    ]
    if not slopes:
        typical, rows = median(y for _, y in points), median(x for x, _ in points)
        per_row = typical / (START_ROWS + rows)
        return Line(START_ROWS * per_row, per_row, _SPREAD_OF_TWO, rows, is_split_known=False)
    slope = max(weighted_median(slopes), 0.0)
    fixed = median(y - slope * x for x, y in points)
    if fixed < 0:  # a part of each record alone fits better
        fixed, slope = 0.0, median(y / x for x, y in points if x)
    errors = [abs(y - (fixed + slope * x)) / y for x, y in points if y]
    least = _SPREAD_OF_TWO if len(points) < 3 else _LEAST_SPREAD
    return Line(fixed, slope, max(1.5 * median(errors) if errors else 0.0, least), largest, is_split_known=True)


def weighted_median(values: Sequence[tuple[float, float]]) -> float:
    """Returns the value at which half of the weight is reached. Pairs of (value, weight)."""
    half, reached = sum(weight for _, weight in values) / 2, 0.0
    for value, weight in sorted(values):
        reached += weight
        if reached >= half:
            return value
    raise ValueError("there are no values")


def estimate(
    chunks: Sequence[int],
    retrains: int,
    past_process: Sequence[Measurement],
    past_retrain: Sequence[Measurement],
    *,
    concurrency: int,
    poll_seconds: float,
) -> Estimate:
    """Estimates a backfill.

    Args:
        chunks: Records that each chunk reads, in order.
        retrains: How many retrain runs follow, one after the other.
        past_process: Past process runs.
        past_retrain: Past retrain runs.
        concurrency: Chunks that run at once.
        poll_seconds: Seconds between two looks at a run.
    """
    start = START_SECONDS + poll_seconds
    seconds = _parts(chunks, retrains, past_process, past_retrain, lambda past: past["seconds"])
    usd = _parts(chunks, retrains, past_process, past_retrain, lambda past: past["usd"])
    return {
        "seconds": seconds
        and _amount(
            lambda end: (
                _makespan([part[end] + start for part in seconds[0]], concurrency)
                + sum(part[end] + start for part in seconds[1])
            )
        ),
        "usd": usd and _amount(lambda end: sum(part[end] for part in (*usd[0], *usd[1]))),
        "basis": _basis(chunks, retrains, past_process, past_retrain),
    }


def _parts(
    chunks: Sequence[int],
    retrains: int,
    past_process: Sequence[Measurement],
    past_retrain: Sequence[Measurement],
    value: Callable[[Measurement], float | None],
) -> tuple[list[Amount], list[Amount]] | None:
    """What each chunk and each retrain takes; None if a past run that would say it is missing."""
    line = fit([(past["rows"], known) for past in past_process if (known := value(past)) is not None])
    trained = [known for past in past_retrain if (known := value(past)) is not None]
    if (chunks and line is None) or (retrains and not trained):
        return None
    of_chunks = [line.at(rows) for rows in chunks] if line else []
    return of_chunks, [_typical(trained)] * retrains if trained else []


def _typical(values: Sequence[float]) -> Amount:
    middle = median(values)
    wide = max(1.5 * median(abs(value - middle) for value in values), _LEAST_SPREAD * middle)
    if len(values) < 3:
        wide = max(wide, _SPREAD_OF_TWO * middle)
    return {"likely": middle, "low": max(middle - wide, 0.0), "high": middle + wide}


def _amount(total: Callable[[End], float]) -> Amount:
    return {"likely": total("likely"), "low": total("low"), "high": total("high")}


def _makespan(seconds: Sequence[float], lanes: int) -> float:
    """When the last of the runs ends, if each begins as soon as one of the lanes is free."""
    ends = [0.0] * lanes
    for length in seconds:
        heapq.heapreplace(ends, ends[0] + length)
    return max(ends)


def _basis(
    chunks: Sequence[int], retrains: int, past_process: Sequence[Measurement], past_retrain: Sequence[Measurement]
) -> str:
    parts = []
    if chunks:
        parts.append(_basis_of_chunks(chunks, past_process))
    if retrains:
        parts.append(
            f"{len(past_retrain)} past retrain runs"
            if past_retrain
            else "no past retrain run: their estimate is unknown"
        )
    return "; ".join(parts) if parts else "nothing is to be done"


def _basis_of_chunks(chunks: Sequence[int], past: Sequence[Measurement]) -> str:
    if not past:
        return "no past process run: the estimate is unknown"
    line = fit([(run["rows"], run["seconds"]) for run in past])
    assert line is not None  # there are past runs
    text = f"{len(past)} past process runs of {min(r['days'] for r in past)} to {max(r['days'] for r in past)} days"
    if not line.is_split_known:
        text += ", all of about one size: what a larger or smaller one takes is uncertain"
    elif max(chunks) > 2 * line.largest:
        text += f"; the largest had {line.largest:,.0f} records, a chunk of this backfill has {max(chunks):,}"
    return text
