"""Converts an estimator that is not a tree ensemble to ONNX in double precision, with skl2onnx.

An estimator that skl2onnx cannot convert is served by scikit-learn.
"""

from __future__ import annotations

from typing import Any

from onnx import ModelProto

from include.model.engines.inputs import InputSpec
from include.model.engines.onnx_model import INPUT, OUTPUT

_OPSETS = {"": 21, "ai.onnx.ml": 3}
_PROBABILITIES = "probabilities"


def build(estimator: Any, inputs: InputSpec) -> ModelProto:
    """Builds the graph that :class:`OnnxModel` runs: float64 (rows, features) → float64 (rows, 2).

    Raises:
        Exception: skl2onnx raises many types for an estimator that it cannot convert.
    """
    # Imported here, because the import takes seconds and tree ensembles do not need it.
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import DoubleTensorType

    model = convert_sklearn(
        estimator,
        # The default is a random name, which would give the same model another bundle digest each time.
        name="estimator",
        initial_types=[(INPUT, DoubleTensorType([None, inputs.features]))],
        options={id(estimator): {"zipmap": False}},
        target_opset=_OPSETS,
    )
    for node in model.graph.node:
        node.output[:] = [OUTPUT if name == _PROBABILITIES else name for name in node.output]
    kept = [output for output in model.graph.output if output.name == _PROBABILITIES]
    kept[0].name = OUTPUT
    del model.graph.output[:]
    model.graph.output.extend(kept)
    return model
