"""Whether all contestants served the same forest: every answer of a run against scikit-learn's own.

A label is compared too, but not where the probability is so near the threshold that the last bit of a sum decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TOLERANCE = 1e-6
EXAMPLES = 3
# Reads one answer's body: the probability of label 1 (None where the contestant tells only labels), and the label or None.
Reader = Callable[[bytes], tuple[float | None, int | None]]


class Disagreement(RuntimeError):
    """Contestants that should have served one forest answered differently: their times cannot be compared."""


@dataclass(frozen=True)
class Agreement:
    """``inputs`` is how many distinct ones were compared; ``difference`` the largest of a probability, None for labels only."""

    name: str
    inputs: int
    difference: float | None
    undecided: int
    wrong: tuple[str, ...]


def read_answers(path: Path) -> list[tuple[int, bytes]]:
    """What the load generator wrote: the number of the request, and the body."""
    lines = path.read_bytes().splitlines() if path.is_file() else []
    return [(int(number), body) for number, _, body in (line.partition(b"\t") for line in lines)]


def compare(name: str, answers: Iterable[tuple[int, bytes]], read: Reader, expected: np.ndarray) -> Agreement:
    """``expected`` is float64 (inputs,): the probability that scikit-learn gives each numbered input."""
    seen: set[int] = set()
    wrong: list[str] = []
    undecided, largest = 0, None
    for number, body in set(answers):
        seen.add(number)
        right = float(expected[number])
        try:
            probability, label = read(body)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            wrong.append(f"input {number} was answered {body[:80]!r} ({type(error).__name__})")
            continue
        if probability is not None:
            difference = abs(probability - right)
            largest = difference if largest is None else max(largest, difference)
            # Not `>`: a probability that is no number differs too.
            if not difference <= TOLERANCE:
                wrong.append(f"input {number} was answered {probability!r}, scikit-learn says {right!r}")
        if abs(right - 0.5) <= TOLERANCE:
            undecided += 1
        elif label is not None and label != int(right > 0.5):
            wrong.append(f"input {number} was answered label {label}, scikit-learn says {right!r}")
    return Agreement(name, len(seen), largest, undecided, tuple(sorted(wrong)))


def require(agreements: Iterable[Agreement]) -> None:
    """Raises :class:`Disagreement` when anyone answered differently, or answered nothing that could be compared."""
    faults = []
    for one in agreements:
        if one.wrong:
            faults.append(f"{one.name}: {len(one.wrong)} wrong, for example {'; '.join(one.wrong[:EXAMPLES])}")
        elif not one.inputs:
            faults.append(f"{one.name}: no answer to compare")
    if faults:
        raise Disagreement("The contestants did not serve the same model.\n" + "\n".join(faults))
