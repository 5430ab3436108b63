"""The arrays of the engine ``native`` for a forest: eight bytes a node, made in training, and checked when loaded.

A node is a float32 ``split`` and a word ``next``. A split's float32 is the largest that is at most the forest's
threshold: a forest rounds a value to float32 before it compares it, so comparing with that float32 decides the same.
The word has the index of the child that comes next when the split is true (24 bits; the other child follows it),
whether a missing value goes to the other child (1 bit), and the feature (7 bits). A leaf is its own child, and its
float32 is a NaN, which no value exceeds; the NaN's low 22 bits are the index of the leaf's value, because a forest has
few different ones.

``forest_walk.c`` reads these arrays, and trusts them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:  # it imports scikit-learn, which a serving process must not pay for
    from include.model.engines.trees import Ensemble, Tree

MAX_NODES, MAX_VALUES, MAX_FEATURES, MAX_TREES = 2**24, 2**22, 2**7, 10_000
NODE = np.dtype([("split", "<f4"), ("next", "<u4")])
_CHILD = np.uint32(8)
_MISSING = np.uint32(MAX_FEATURES)
_NAN = np.uint32(0x7FC00000)


class NativeForest(NamedTuple):
    """A forest, checked: every index is within its array, and every path from a root ends in a leaf.

    Attributes:
        nodes: Array of :data:`NODE`, shape (nodes,).
        values: float64; the different values of leaves.
        roots: uint32; the first node of each tree, in scikit-learn's order of trees.
        depths: uint32; the longest path of each tree.
    """

    nodes: np.ndarray
    values: np.ndarray
    roots: np.ndarray
    depths: np.ndarray

    @property
    def leaf(self) -> np.ndarray:
        """Whether each node is a leaf."""
        return np.isnan(self.nodes["split"])

    @property
    def child(self) -> np.ndarray:
        """The node after each node when its split is true."""
        return self.nodes["next"] >> _CHILD

    @property
    def feature(self) -> np.ndarray:
        """The column that each split compares."""
        return self.nodes["next"] & (_MISSING - np.uint32(1))

    @property
    def missing_false(self) -> np.ndarray:
        """Whether a missing value goes to the other child."""
        return (self.nodes["next"] & _MISSING) > 0

    @property
    def value(self) -> np.ndarray:
        """The index in ``values`` of each leaf's value. Undefined for splits."""
        return self.nodes["split"].view(np.uint32) & np.uint32(MAX_VALUES - 1)


def write(ensemble: Ensemble, path: Path) -> None:
    """Writes ``model.native``, in NumPy's format ``npz``.

    Args:
        ensemble: A forest, which rounds its input to float32.
        path: The file.

    Raises:
        ValueError: It is too large for these arrays.
    """
    require_size(ensemble)
    values = np.unique(np.concatenate([tree.value[tree.leaf] for tree in ensemble.trees]))
    if len(values) > MAX_VALUES:
        raise ValueError(
            f"{len(values)} different values of leaves are more than the {MAX_VALUES} of the engine native"
        )
    roots = roots_of(ensemble.trees)
    nodes = np.concatenate([_nodes(tree, root, values) for tree, root in zip(ensemble.trees, roots, strict=True)])
    with path.open("wb") as file:
        np.savez(file, nodes=nodes, values=values, roots=roots.astype("<u4"))


def read(path: Path, features: int) -> NativeForest:
    """Reads and checks the arrays.

    Raises:
        ValueError: They are not those of a forest with so many features.
    """
    with np.load(path, allow_pickle=False) as arrays:
        nodes, values, roots = arrays["nodes"], arrays["values"], arrays["roots"]
    dtypes = nodes.dtype, values.dtype, roots.dtype
    if dtypes != (NODE, np.dtype("<f8"), np.dtype("<u4")) or {nodes.ndim, values.ndim, roots.ndim} != {1}:
        raise ValueError("an array has another type or shape")
    forest = NativeForest(nodes, values, roots, np.zeros(len(roots), np.uint32))
    if problem := _problem(forest, features):
        raise ValueError(problem)
    return forest._replace(depths=longest_paths(forest.leaf, forest.child, roots))


def require_size(ensemble: Ensemble) -> None:
    """Checks that the engine has room for so many nodes, features and trees.

    Raises:
        ValueError: It has not.
    """
    sizes = (ensemble.nodes, MAX_NODES, "nodes"), (ensemble.features, MAX_FEATURES, "features")
    for size, limit, what in (*sizes, (len(ensemble.trees), MAX_TREES, "trees")):
        if size > limit:
            raise ValueError(f"{size} {what} are more than the {limit} that the engine native has")


def roots_of(trees: list[Tree]) -> np.ndarray:
    """The first node of each tree, when the trees' nodes follow each other."""
    return np.cumsum([0, *(len(tree.leaf) for tree in trees[:-1])])


def places(tree: Tree) -> np.ndarray:
    """Each node's place in the tree: after the root the two children of each split, depth first."""
    splits = np.flatnonzero(~tree.leaf)  # scikit-learn numbers nodes depth first
    place = np.zeros(len(tree.leaf), np.int64)
    place[tree.true[splits]] = np.arange(1, len(tree.leaf), 2)
    place[tree.false[splits]] = np.arange(2, len(tree.leaf), 2)
    return place


def structure_problem(leaf: np.ndarray, child: np.ndarray, roots: np.ndarray, features: int) -> str:
    """What is wrong with the trees' structure; empty if nothing is.

    Args:
        leaf: Whether each node is a leaf.
        child: The node after each node.
        roots: The first node of each tree.
        features: Number of columns of the model's rows.
    """
    count, own, inner = len(leaf), np.flatnonzero(leaf), child[~leaf]
    if not 0 < len(roots) <= MAX_TREES or not 0 < count <= MAX_NODES or features > MAX_FEATURES:
        return "no trees, or too many trees, nodes or features"
    if (child[own] != own).any() or (inner <= np.flatnonzero(~leaf)).any():
        return "a leaf is not its own child, or a split's child does not come after it"
    if (inner >= count - 1).any() or (roots >= count).any():
        return "a child or a root is no node"
    reached = np.concatenate([roots, inner, inner + 1])
    if len(reached) != count or not np.bincount(reached, minlength=count).all():
        return "a node is in no tree, or in two"
    return ""


def longest_paths(leaf: np.ndarray, child: np.ndarray, roots: np.ndarray) -> np.ndarray:
    """The longest path of each tree, uint32."""
    depths = np.zeros(len(roots), np.uint32)
    at, tree, depth = roots, np.arange(len(roots)), 0
    while (inner := ~leaf[at]).any():
        depth += 1
        at, tree = child[at[inner]], tree[inner]
        depths[tree] = depth
        at, tree = np.concatenate([at, at + np.uint32(1)]), np.concatenate([tree, tree])
    return depths


def _nodes(tree: Tree, root: int, values: np.ndarray) -> np.ndarray:
    """The nodes of a tree whose root has this index."""
    place = places(tree)
    narrow = tree.threshold.astype(np.float32)
    narrow = np.where(narrow > tree.threshold, np.nextafter(narrow, np.float32(-np.inf)), narrow)
    child = np.where(tree.leaf, place, place[tree.true]) + root
    word = child << int(_CHILD) | np.where(tree.missing_true, 0, int(_MISSING)) | tree.feature
    nodes = np.zeros(len(tree.leaf), NODE)
    leaf_bits = _NAN | np.searchsorted(values, tree.value).astype(np.uint32)
    nodes["split"].view(np.uint32)[place] = np.where(tree.leaf, leaf_bits, narrow.view(np.uint32))
    nodes["next"][place] = np.where(tree.leaf, child << int(_CHILD), word)
    return nodes


def _problem(forest: NativeForest, features: int) -> str:
    """What is wrong with the arrays; empty if nothing is."""
    leaf = forest.leaf
    if problem := structure_problem(leaf, forest.child, forest.roots, features):
        return problem
    own = np.flatnonzero(leaf)
    if (forest.feature[~leaf] >= features).any() or (forest.value[own] >= len(forest.values)).any():
        return "a split's feature or a leaf's value does not exist"
    if (forest.nodes["next"][own] & ~(~np.uint32(0) << _CHILD)).any():
        return "a leaf has a feature, or sends missing values on"
    return ""
