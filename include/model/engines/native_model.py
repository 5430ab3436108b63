"""A forest walked by the project's own compiled code: the fastest engine, for what ``native_form`` can hold.

The extension ``nightjar_walk`` is compiled from ``forest_walk.c`` for the images and at set-up. Where a bundle is
served without it, NumPy walks the same arrays: the same answers, a hundred times slower.
"""

from __future__ import annotations

import logging
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from include.errors import NightjarError
from include.model.engines import native_form
from include.model.engines.inputs import InputCheck, InputSpec
from include.model.engines.native_form import NativeForest

try:
    import nightjar_walk
except ImportError:
    nightjar_walk: ModuleType | None = None  # type: ignore[no-redef]

ROWS_AT_ONCE = 1000  # with NumPy: bounds its memory
log = logging.getLogger(__name__)


class NotCompiledError(NightjarError):
    """The extension is not installed."""

    def __init__(self) -> None:
        super().__init__("the extension nightjar_walk is not installed; compile it as in docs/engines.md")


def require_compiled() -> None:
    """Checks that the extension is installed.

    Raises:
        NotCompiledError: It is not.
    """
    if nightjar_walk is None:
        raise NotCompiledError


class NativeModel:
    """A forest in the arrays of ``native_form``."""

    name = "native"

    def __init__(self, path: Path, inputs: InputSpec) -> None:
        forest = native_form.read(path, inputs.features)
        self._check = InputCheck(inputs)
        if nightjar_walk is None:
            log.warning("%s is served by NumPy, which is slow: %s", path.name, NotCompiledError())
        self._walk = NumpyWalk(forest) if nightjar_walk is None else compiled(forest, inputs)
        self._one = self._walk.one

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        """Scores float64 (rows, features); returns float64 (rows, 2)."""
        matrix = np.ascontiguousarray(matrix, np.float64)
        self._check.matrix(matrix)
        probability = np.empty(len(matrix))
        self._walk.many(matrix, probability)
        return np.column_stack([1.0 - probability, probability])

    def one(self, row: list[float]) -> float:
        """Returns the probability of label 1."""
        probability: float | None = self._one(row)
        # The walk does not say why it takes a row for one to refuse; the check does.
        return float(self.predict_proba(np.array([row], np.float64))[0, 1]) if probability is None else probability


class NumpyWalk:
    """The walk of ``nightjar_walk`` in NumPy."""

    def __init__(self, forest: NativeForest) -> None:
        self._forest = forest

    def one(self, row: list[float]) -> None:
        """Leaves every row to :meth:`many`."""

    def many(self, matrix: np.ndarray, answers: np.ndarray) -> None:
        """Writes the probability of each row of float64 (rows, features)."""
        for start in range(0, len(matrix), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            answers[part] = self._probabilities(matrix[part].astype(np.float32))

    def _probabilities(self, rows: np.ndarray) -> np.ndarray:
        forest, number = self._forest, np.arange(len(rows))[:, np.newaxis]
        at = np.repeat(forest.roots[np.newaxis], len(rows), axis=0)
        child, feature, missing, split = forest.child, forest.feature, forest.missing_false, forest.nodes["split"]
        for _ in range(forest.depths.max(initial=0)):
            value = rows[number, feature[at]]
            at = child[at] + ((value > split[at]) | (np.isnan(value) & missing[at]))
        # One after the other, as scikit-learn adds them: NumPy's own sum has another order.
        return np.cumsum(forest.values[forest.value[at]], axis=1)[:, -1] / len(forest.roots)


def compiled(forest: NativeForest, inputs: InputSpec) -> Any:
    """The compiled walk. Trees of like depth are walked together: all in a group take the steps of its deepest."""
    assert nightjar_walk is not None
    lanes = nightjar_walk.LANES
    order = np.argsort(forest.depths, kind="stable")
    # The last group is filled up with copies of a tree whose values are not added.
    extra = -len(order) % lanes
    trees = np.concatenate([order, np.repeat(order[-1:], extra)])
    places = np.concatenate([order, np.arange(len(order), len(order) + extra)]).astype(np.uint32)
    return nightjar_walk.Forest(
        forest.nodes,
        forest.values,
        forest.roots[trees],
        forest.depths[trees].reshape(-1, lanes).max(axis=1),
        places,
        np.array(inputs.largest, np.float64),
        len(order),
        inputs.missing,
    )
