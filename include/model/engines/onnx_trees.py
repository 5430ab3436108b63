"""Converts a tree ensemble to ONNX in double precision: the operator ``TreeEnsemble`` of ai.onnx.ml 5.

skl2onnx's own conversion is not used, because it writes forests in float32: probabilities differ by 8e-7, and labels
differ for values on split thresholds.
Source: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from include.model.engines.inputs import InputSpec
from include.model.engines.onnx_model import INPUT, OUTPUT
from include.model.engines.trees import Ensemble, Tree

_AT_MOST, _MEMBER = 0, 6  # nodes_modes
_SUM, _NO_TRANSFORM = 1, 0  # aggregate_function, post_transform
_OPSET, _ML_OPSET, _IR_VERSION = 21, 5, 10


def build(ensemble: Ensemble, inputs: InputSpec) -> ModelProto:
    """Builds the graph that :class:`OnnxModel` runs: float64 (rows, features) → float64 (rows, 1)."""
    nodes: list[NodeProto] = []
    values = INPUT
    if inputs.dtype == "float32":
        # scikit-learn's forests round a value to float32 and then compare it with a float64 threshold:
        # https://scikit-learn.org/stable/modules/generated/sklearn.tree.DecisionTreeClassifier.html (predict_proba).
        nodes.append(helper.make_node("Cast", [INPUT], ["rounded"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Cast", ["rounded"], ["widened"], to=TensorProto.DOUBLE))
        values = "widened"
    nodes.append(
        helper.make_node("TreeEnsemble", [values], ["sum"], domain="ai.onnx.ml", **_attributes(ensemble.trees))
    )
    if ensemble.mean:
        constant = float(len(ensemble.trees))
        nodes.append(helper.make_node("Div", ["sum", "constant"], [OUTPUT]))
    else:
        constant = ensemble.offset
        nodes.append(helper.make_node("Add", ["sum", "constant"], ["raw"]))
        nodes.append(helper.make_node("Sigmoid", ["raw"], [OUTPUT]))
    graph = helper.make_graph(
        nodes,
        "trees",
        [helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, [None, ensemble.features])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, [None, 1])],
        [numpy_helper.from_array(np.array(constant, np.float64), "constant")],
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _ML_OPSET)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)


def _attributes(trees: list[Tree]) -> dict[str, Any]:
    """The operator's attributes: the splits of all trees in one list, their leaves in another."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ("feature", "split", "mode", "true", "false", "missing")}
    roots, weights, members = [], [], []
    true_is_leaf, false_is_leaf = [], []
    splits = leaves = 0
    for tree in map(_rooted, trees):
        inner = ~tree.leaf
        position = np.where(tree.leaf, np.cumsum(tree.leaf) - 1 + leaves, np.cumsum(inner) - 1 + splits)
        member = np.zeros(len(inner), bool)
        member[list(tree.categories)] = True
        roots.append(splits)
        parts["feature"].append(tree.feature[inner])
        parts["split"].append(np.where(member, 0.0, tree.threshold)[inner])
        parts["mode"].append(np.where(member, _MEMBER, _AT_MOST)[inner])
        parts["true"].append(position[tree.true[inner]])
        parts["false"].append(position[tree.false[inner]])
        parts["missing"].append(tree.missing_true[inner])
        true_is_leaf.append(tree.leaf[tree.true[inner]])
        false_is_leaf.append(tree.leaf[tree.false[inner]])
        weights.append(tree.value[tree.leaf])
        for node in sorted(tree.categories):
            members += [*tree.categories[node], np.nan]  # NaN ends a set
        splits += int(inner.sum())
        leaves += int(tree.leaf.sum())
    joined = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    attributes: dict[str, Any] = {
        "aggregate_function": _SUM,
        "n_targets": 1,
        "post_transform": _NO_TRANSFORM,
        "tree_roots": roots,
        "nodes_featureids": joined["feature"].astype(np.int64),
        "nodes_splits": _tensor(joined["split"], np.float64),
        "nodes_modes": _tensor(joined["mode"], np.uint8),
        "nodes_truenodeids": joined["true"].astype(np.int64),
        "nodes_falsenodeids": joined["false"].astype(np.int64),
        "nodes_trueleafs": np.concatenate(true_is_leaf).astype(np.int64),
        "nodes_falseleafs": np.concatenate(false_is_leaf).astype(np.int64),
        "nodes_missing_value_tracks_true": joined["missing"].astype(np.int64),
        "leaf_targetids": np.zeros(leaves, np.int64),
        "leaf_weights": _tensor(np.concatenate(weights), np.float64),
    }
    if members:
        attributes["membership_values"] = _tensor(np.array(members), np.float64)
    return attributes


def _rooted(tree: Tree) -> Tree:
    """Turns a tree of a single leaf, which the operator does not support, into a split between two such leaves."""
    if not tree.leaf[0]:
        return tree
    return Tree(
        leaf=np.array([False, True]),
        feature=np.zeros(2, np.int64),
        threshold=np.zeros(2),
        true=np.array([1, -1]),
        false=np.array([1, -1]),
        missing_true=np.zeros(2, bool),
        value=np.array([np.nan, tree.value[0]]),
        categories={},
    )


def _tensor(array: np.ndarray, dtype: type) -> TensorProto:
    return numpy_helper.from_array(array.astype(dtype))
