"""The arrays of the engine ``native`` for boosted trees, made in training, and checked when they are loaded.

Boosting compares float64 values with thresholds, and looks categories up in sets; a feature has few different ones of
either. So *cuts* divide its values into intervals, in which every split decides the same: one cut for each threshold,
and two for each category, which is alone in its interval. A row first becomes *columns* of one byte, which a table has
for each interval and for a missing value. A split then compares a column with its *rank*:

- The column of a number has the interval's index, and for a missing value 0 or 255. There are two such columns where
  splits send missing values both ways.
- Each different set of categories has a column: 0 for its members, and 1 for all else. A missing value has either, and
  there are two such columns where splits of one set send missing values both ways.

A node takes eight bytes: the index of the child that comes next when the split is true (the other child follows it),
the column, and the rank. A leaf is its own child, and no byte exceeds its rank. The values of leaves have an array
beside it.

``forest_walk.c`` reads these arrays, and trusts them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from include.model.engines import native_form

if TYPE_CHECKING:  # it imports scikit-learn, which a serving process must not pay for
    from include.model.engines.trees import Ensemble

MAX_COLUMNS = 2**14
LEAF = 255  # the rank of a leaf
WORD = 8  # a feature's columns are filled up to a multiple of this
NODE = np.dtype([("next", "<u4"), ("column", "<u2"), ("rank", "<u2")])
FEATURE = np.dtype([("cuts", "<u4"), ("words", "<u4")])


class BoostedTrees(NamedTuple):
    """Boosted trees, checked: every index is within its array, and every path from a root ends in a leaf.

    Attributes:
        nodes: Array of :data:`NODE`, shape (nodes,).
        values: float64; the value of each leaf, 0 for a split. float32, like ``offset``, where the sum is computed in
            float32, as XGBoost does: a release that cannot do that refuses such arrays.
        roots: uint32; the first node of each tree, in scikit-learn's order of trees.
        features: Array of :data:`FEATURE`: each feature's number of cuts, and of words of columns.
        cuts: float64; the cuts of all features, ascending in each.
        table: uint8; for each feature, interval by interval and then for a missing value, its columns.
        offset: float64, shape (1,); the log-odds before the first tree.
        depths: uint32; the longest path of each tree.
    """

    nodes: np.ndarray
    values: np.ndarray
    roots: np.ndarray
    features: np.ndarray
    cuts: np.ndarray
    table: np.ndarray
    offset: np.ndarray
    depths: np.ndarray

    @property
    def single(self) -> bool:
        """Whether the sum is computed in float32."""
        return self.values.dtype == np.float32


class _Columns(NamedTuple):
    """A feature's cuts; its columns, uint8 (intervals + 1, columns); and the column and rank of each of its splits."""

    cuts: np.ndarray
    table: np.ndarray
    column: np.ndarray
    rank: np.ndarray


def write(ensemble: Ensemble, path: Path) -> None:
    """Writes ``model.native``, in NumPy's format ``npz``.

    Args:
        ensemble: Boosted trees.
        path: The file.

    Raises:
        ValueError: They are too large for these arrays.
    """
    trees = ensemble.trees
    native_form.require_size(ensemble)
    roots = native_form.roots_of(trees)
    places = [native_form.places(tree) for tree in trees]
    place = np.concatenate([own + root for own, root in zip(places, roots, strict=True)])
    leaf = np.concatenate([tree.leaf for tree in trees])
    child = np.concatenate([own[tree.true] + root for tree, own, root in zip(trees, places, roots, strict=True)])
    kind = np.float32 if ensemble.single else np.float64
    nodes, values = np.zeros(len(leaf), NODE), np.zeros(len(leaf), kind)
    nodes["next"][place] = np.where(leaf, place, child)
    nodes["rank"][place[leaf]] = LEAF
    values[place[leaf]] = np.concatenate([tree.value[tree.leaf] for tree in trees])

    feature = np.concatenate([tree.feature for tree in trees])
    threshold = np.concatenate([tree.threshold for tree in trees])
    missing_true = np.concatenate([tree.missing_true for tree in trees])
    members = {
        node + int(root): tuple(codes)
        for tree, root in zip(trees, roots, strict=True)
        for node, codes in tree.categories.items()
    }
    features, cuts, table, first = np.zeros(ensemble.features, FEATURE), [], [], 0
    for index in range(ensemble.features):
        splits = np.flatnonzero(~leaf & (feature == index))
        if any(int(split) in members for split in splits):
            columns = _category([members[int(split)] for split in splits], missing_true[splits])
        else:
            columns = _number(threshold[splits], missing_true[splits])
        words = max(1, -(-columns.table.shape[1] // WORD))
        features[index] = len(columns.cuts), words
        cuts.append(columns.cuts)
        table.append(np.pad(columns.table, ((0, 0), (0, words * WORD - columns.table.shape[1]))).ravel())
        if first + words * WORD > MAX_COLUMNS:
            raise ValueError(f"the splits need more than the {MAX_COLUMNS} columns that the engine native has")
        nodes["column"][place[splits]], nodes["rank"][place[splits]] = columns.column + first, columns.rank
        first += words * WORD
    with path.open("wb") as file:
        np.savez(
            file,
            nodes=nodes,
            values=values,
            roots=roots.astype("<u4"),
            features=features,
            cuts=np.concatenate(cuts),
            table=np.concatenate(table),
            offset=np.array([ensemble.offset], kind),
        )


def is_boosted(path: Path) -> bool:
    """Whether a file ``model.native`` has boosted trees, and not a forest."""
    with np.load(path, allow_pickle=False) as arrays:
        return "offset" in arrays


def read(path: Path, features: int) -> BoostedTrees:
    """Reads and checks the arrays.

    Raises:
        ValueError: They are not those of boosted trees with so many features.
    """
    with np.load(path, allow_pickle=False) as arrays:
        trees = BoostedTrees(**{name: arrays[name] for name in BoostedTrees._fields[:-1]}, depths=np.zeros(0, "<u4"))
    number = np.dtype("<f4" if trees.single else "<f8")
    dtypes = NODE, number, np.dtype("<u4"), FEATURE, np.dtype("<f8"), np.dtype("u1"), number
    if any(array.dtype != dtype or array.ndim != 1 for array, dtype in zip(trees, dtypes, strict=False)):
        raise ValueError("an array has another type or shape")
    if problem := _problem(trees, features):
        raise ValueError(problem)
    leaf, child = trees.nodes["rank"] >= LEAF, trees.nodes["next"]
    return trees._replace(depths=native_form.longest_paths(leaf, child, trees.roots))


def _number(threshold: np.ndarray, missing_true: np.ndarray) -> _Columns:
    """The columns of a number, for the splits with these thresholds and branches of missing values."""
    if np.isnan(threshold).any():  # scikit-learn makes one where a feature has both infinities
        raise ValueError("a threshold is not a number")
    cuts = np.unique(threshold)
    if len(cuts) > LEAF:
        raise ValueError(f"{len(cuts)} thresholds of a feature are more than the {LEAF} that the engine native has")
    missing, column = np.unique(missing_true, return_inverse=True)
    table = np.repeat(np.arange(len(cuts) + 2)[:, np.newaxis], len(missing), axis=1)
    table[-1] = np.where(missing, 0, LEAF)
    return _Columns(cuts, table.astype(np.uint8), column, np.searchsorted(cuts, threshold))


def _category(sets: list[tuple[float, ...]], missing_true: np.ndarray) -> _Columns:
    """The columns of a category, for the splits with these sets of codes and branches of missing values."""
    splits = list(zip(sets, missing_true.tolist(), strict=True))
    different = sorted(set(splits))
    codes = np.unique([code for members, _ in different for code in members])
    cuts = np.unique([np.nextafter(codes, -np.inf), codes])
    table = np.ones((len(cuts) + 2, len(different)), np.uint8)
    for column, (members, missing) in enumerate(different):
        table[np.searchsorted(cuts, members), column] = 0
        table[-1, column] = not missing
    return _Columns(cuts, table, np.array([different.index(split) for split in splits]), np.zeros(len(sets), int))


def _problem(trees: BoostedTrees, features: int) -> str:
    """What is wrong with the arrays; empty if nothing is."""
    leaf, child = trees.nodes["rank"] >= LEAF, trees.nodes["next"]
    if problem := native_form.structure_problem(leaf, child, trees.roots, features):
        return problem
    if len(trees.values) != len(trees.nodes) or len(trees.offset) != 1 or len(trees.features) != features:
        return "not one value for each node, one offset, and one number of cuts for each feature"
    cuts, words = trees.features["cuts"].astype(np.int64), trees.features["words"].astype(np.int64)
    if words.sum() * WORD > MAX_COLUMNS or cuts.sum() != len(trees.cuts):
        return "too many columns, or not as many cuts as the features have"
    if ((cuts + 2) * words * WORD).sum() != len(trees.table):
        return "the table does not have its columns for each interval"
    if (trees.nodes["column"] >= words.sum() * WORD).any():
        return "a split's column does not exist"
    return ""
