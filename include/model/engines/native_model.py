"""Trees walked by the project's own compiled code: the fastest engine, for what its arrays can hold.

``native_form`` has those of a forest, and ``boosted_form`` those of boosted trees. The extension ``nightjar_walk`` is
compiled from ``forest_walk.c`` for the images and at set-up. Where a bundle is served without it, NumPy walks the same
arrays: the same answers, a hundred times slower.
"""

from __future__ import annotations

import logging
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from include.errors import NightjarError
from include.model.engines import boosted_form, native_form
from include.model.engines.boosted_form import BoostedTrees
from include.model.engines.inputs import InputCheck, InputSpec
from include.model.engines.native_form import NativeForest
from include.model.engines.numpy_walk import NumpyWalk

try:
    import nightjar_walk
except ImportError:
    nightjar_walk: ModuleType | None = None  # type: ignore[no-redef]

SINGLE = 2  # the extension's version of boosted trees from which it has sums in float32
log = logging.getLogger(__name__)


class NotCompiledError(NightjarError):
    """The extension is not installed, or is of an earlier release."""

    def __init__(self, problem: str = "is not installed") -> None:
        super().__init__(f"the extension nightjar_walk {problem}; compile it as in docs/engines.md")


def require_compiled(*, boosted: bool, single: bool = False) -> None:
    """Checks that the extension is installed, and can walk such trees.

    Args:
        boosted: Whether they are boosted trees.
        single: Whether their sum is computed in float32.

    Raises:
        NotCompiledError: It is not, or cannot.
    """
    if nightjar_walk is None:
        raise NotCompiledError
    if boosted and not hasattr(nightjar_walk, "BOOSTED"):
        raise NotCompiledError("is of an earlier release, which has no boosted trees")
    if single and nightjar_walk.BOOSTED < SINGLE:
        raise NotCompiledError("is of an earlier release, which has no sums in float32")


class NativeModel:
    """A forest in the arrays of ``native_form``, or boosted trees in those of ``boosted_form``."""

    name = "native"

    def __init__(self, path: Path, inputs: InputSpec) -> None:
        self._check = InputCheck(inputs)
        boosted = boosted_form.is_boosted(path)
        read = boosted_form.read if boosted else native_form.read
        trees: BoostedTrees | NativeForest = read(path, inputs.features)
        try:
            require_compiled(boosted=boosted, single=isinstance(trees, BoostedTrees) and trees.single)
            self._walk = compiled(trees, inputs)
        except NotCompiledError as error:
            log.warning("%s is served by NumPy, which is slow: %s", path.name, error)
            self._walk = NumpyWalk(trees)
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


def compiled(trees: NativeForest | BoostedTrees, inputs: InputSpec) -> Any:
    """The compiled walk. Trees of like depth are walked together: all in a group take the steps of its deepest."""
    assert nightjar_walk is not None
    lanes = nightjar_walk.LANES
    order = np.argsort(trees.depths, kind="stable")
    # The last group is filled up with copies of a tree whose values are not added.
    extra = -len(order) % lanes
    grouped = np.concatenate([order, np.repeat(order[-1:], extra)])
    places = np.concatenate([order, np.arange(len(order), len(order) + extra)]).astype(np.uint32)
    boosting: tuple[Any, ...] = ()
    if isinstance(trees, BoostedTrees):
        boosting = (trees.features, trees.cuts, trees.table, trees.offset[0], *((1,) if trees.single else ()))
    return nightjar_walk.Forest(
        trees.nodes,
        trees.values.astype(np.float64, copy=False),
        trees.roots[grouped],
        trees.depths[grouped].reshape(-1, lanes).max(axis=1),
        places,
        np.array(inputs.largest, np.float64),
        len(order),
        inputs.missing,
        *boosting,
    )
