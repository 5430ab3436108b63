"""Loads the one engine that a bundle names. Training and service load by this."""

from __future__ import annotations

from pathlib import Path

from include.model.engines import Engine, Model
from include.model.engines.inputs import Inputs


def load(engine: Engine, path: Path, inputs: Inputs | None) -> Model:
    """``path`` is the engine's file, whose digest the caller has checked. The file is not needed afterwards.

    Errors: whatever the engine raises for a file that it cannot read.
    """
    # A serving process must not pay for the import and the memory of the engines that it does not use.
    if engine == "scikit-learn":
        from include.model.engines.sklearn_model import SklearnModel

        return SklearnModel.read(path)
    if inputs is None:
        raise ValueError(f"a model for {engine} must say which inputs it takes")
    if engine == "onnxruntime":
        from include.model.engines.onnx_model import OnnxModel

        return OnnxModel(path, inputs)
    from include.model.engines.treelite_model import TreeliteModel

    return TreeliteModel(path, inputs)
