"""Compares every answer of a run with scikit-learn's own, so that all contestants served the same forest.

Labels are compared too, except where the probability is so near the threshold that the last bit of a sum decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.errors import BenchmarkError

TOLERANCE = 1e-6
EXAMPLES = 3
# Reads the body of an answer: the probability of label 1 and the label. Either is None if the answer does not have it.
Reader = Callable[[bytes], tuple[float | None, int | None]]


class DisagreementError(BenchmarkError):
    """Contestants answered differently, so their times cannot be compared."""


@dataclass(frozen=True)
class Agreement:
    """How the answers of one contestant compare with scikit-learn's.

    Attributes:
        name: The contestant.
        inputs: Number of distinct inputs that were compared.
        difference: Largest difference of a probability; None if the contestant answers labels only.
        undecided: Answers whose label was not compared, because the probability is too near the threshold.
        wrong: Texts about wrong answers.
    """

    name: str
    inputs: int
    difference: float | None
    undecided: int
    wrong: tuple[str, ...]


def read_answers(path: Path) -> list[tuple[int, bytes]]:
    """Reads what the load generator wrote: the number of each request, and the body of its answer."""
    lines = path.read_bytes().splitlines() if path.is_file() else []
    return [(int(number), body) for number, _, body in (line.partition(b"\t") for line in lines)]


def compare(name: str, answers: Iterable[tuple[int, bytes]], read: Reader, expected: np.ndarray) -> Agreement:
    """Compares the answers of one contestant.

    Args:
        name: The contestant.
        answers: Number of each request, and the body of its answer.
        read: Reads a body.
        expected: float64 array of shape (inputs,): scikit-learn's probability of each numbered input.
    """
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
            # Not `>`, so that NaN counts as different.
            if not difference <= TOLERANCE:
                wrong.append(f"input {number} was answered {probability!r}, scikit-learn says {right!r}")
        if abs(right - 0.5) <= TOLERANCE:
            undecided += 1
        elif label is not None and label != int(right > 0.5):
            wrong.append(f"input {number} was answered label {label}, scikit-learn says {right!r}")
    return Agreement(name, len(seen), largest, undecided, tuple(sorted(wrong)))


def require(agreements: Iterable[Agreement]) -> None:
    """Checks that all agree.

    Raises:
        DisagreementError: A contestant answered differently, or has no answer that could be compared.
    """
    faults = []
    for one in agreements:
        if one.wrong:
            faults.append(f"{one.name}: {len(one.wrong)} wrong, for example {'; '.join(one.wrong[:EXAMPLES])}")
        elif not one.inputs:
            faults.append(f"{one.name}: no answer to compare")
    if faults:
        raise DisagreementError("The contestants did not serve the same model.\n" + "\n".join(faults))
