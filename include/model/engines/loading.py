"""Loads the one engine that a bundle names. Training and service both load models here."""

from __future__ import annotations

from pathlib import Path

from include.model.engines import Engine, ScoringModel
from include.model.engines.inputs import InputSpec


def load(engine: Engine, path: Path, inputs: InputSpec | None) -> ScoringModel:
    """Loads a model.

    Args:
        engine: The engine.
        path: The engine's file, whose digest the caller has checked. It may be deleted afterwards.
        inputs: The input values that the model accepts. Required by the fast engines.

    Raises:
        Exception: Whatever the engine raises for a file that it cannot read.
    """
    # Imported here, because a serving process must not pay for the import and the memory of engines that it does not
    # use.
    if engine == "scikit-learn":
        from include.model.engines.sklearn_model import SklearnModel

        return SklearnModel.read(path)
    if inputs is None:
        raise ValueError(f"the engine {engine} needs the model's InputSpec, which is missing")
    if engine == "native":
        from include.model.engines.native_model import NativeModel

        return NativeModel(path, inputs)
    if engine == "onnxruntime":
        from include.model.engines.onnx_model import OnnxModel

        return OnnxModel(path, inputs)
    from include.model.engines.treelite_model import TreeliteModel

    return TreeliteModel(path, inputs)
