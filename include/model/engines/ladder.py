"""Chooses the engine that serves a model, on the engine ladder: the ordered list of engines tried, fastest first.

The first engine whose form of the model can be made and passes the parity gate is chosen. If none does, scikit-learn
serves, and the manifest has the reasons: a model is never rejected here. Runs in the training container only: it needs
onnx and skl2onnx.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import treelite

from include.model.engines import (
    FAST_FORMS,
    Engine,
    Parity,
    boosted_form,
    loading,
    native_form,
    native_model,
    onnx_generic,
    onnx_trees,
    trees,
    xgboost_trees,
)
from include.model.engines.inputs import InputSpec, probe_inputs
from include.model.engines.parity import ParityGate
from include.model.engines.sklearn_model import SklearnModel
from include.model.engines.trees import Ensemble

# ONNX Runtime copies a forest into structures of its own. With 4.9 million nodes they take 960 MB (1750 MB while it
# loads) and 4.6 s, where Treelite needs 503 MB (547 MB) and 0.23 s. Below a million nodes ONNX Runtime stays under 0.4
# GB and a second, and scores faster.
MAX_ONNX_NODES = 1_000_000
_REASON_CHARACTERS = 300
# The address of an object in a converter's error would give the same model another bundle digest.
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class TrainedModel(NamedTuple):
    """What a fast form is made from.

    Attributes:
        estimator: The fitted scikit-learn estimator.
        ensemble: Its trees; ``None`` for an estimator that is not a tree ensemble.
        inputs: The input values that it accepts.
    """

    estimator: Any
    ensemble: Ensemble | None
    inputs: InputSpec


class LadderStep(NamedTuple):
    """One engine.

    Attributes:
        engine: Its name.
        write: Writes its file; may raise any exception.
        trees_only: Whether it is not tried for a model that is not a tree ensemble.
    """

    engine: Engine
    write: Callable[[TrainedModel, Path], None]
    trees_only: bool = False


class EngineChoice(NamedTuple):
    """The engine that serves a model.

    Attributes:
        engine: Its name.
        files: The fast form, by its name in the bundle. Empty when scikit-learn serves.
        inputs: The input values that the model accepts; ``None`` when scikit-learn serves, which checks them itself.
        parity: Result for each engine that was tried.
    """

    engine: Engine
    files: dict[str, bytes]
    inputs: InputSpec | None
    parity: tuple[Parity, ...]


def write_native(model: TrainedModel, path: Path) -> None:
    """Writes ``model.native``.

    Raises:
        NotCompiledError: The extension that walks it is not installed here.
        ValueError: The ensemble is too large for its arrays.
    """
    assert model.ensemble is not None
    native_model.require_compiled(boosted=not model.ensemble.mean, single=model.ensemble.single)
    (native_form if model.ensemble.mean else boosted_form).write(model.ensemble, path)


def write_onnx(model: TrainedModel, path: Path) -> None:
    """Writes ``model.onnx``.

    Raises:
        ValueError: The ensemble has more than :data:`MAX_ONNX_NODES` nodes.
        Exception: Whatever skl2onnx raises for an estimator that it cannot convert.
    """
    if model.ensemble is None:
        path.write_bytes(onnx_generic.build(model.estimator, model.inputs).SerializeToString())
        return
    if model.ensemble.nodes > MAX_ONNX_NODES:
        # The text is part of the manifest, so it decides the bundle digest.
        raise ValueError(f"{model.ensemble.nodes} nodes are more than the {MAX_ONNX_NODES} that ONNX Runtime is given")
    path.write_bytes(onnx_trees.build(model.ensemble, model.inputs).SerializeToString())


def write_treelite(model: TrainedModel, path: Path) -> None:
    """Writes ``model.treelite``.

    Raises:
        TreeliteError: The estimator is not a tree ensemble.
    """
    if model.ensemble is not None and model.ensemble.single:
        treelite.frontend.from_xgboost(model.estimator.get_booster()).serialize(path)
        return
    # Where a category was missing, scikit-learn keeps NaN as the last category, and Treelite casts it to an integer
    # with a warning. No split uses it: a missing value takes its branch before categories are compared.
    with np.errstate(invalid="ignore"):
        treelite.sklearn.import_model(model.estimator).serialize(path)


LADDER = (
    LadderStep("native", write_native, trees_only=True),
    LadderStep("onnxruntime", write_onnx),
    LadderStep("treelite", write_treelite),
)


def choose_engine(
    estimator: Any,
    matrix: np.ndarray,
    golden: np.ndarray,
    *,
    categories: Mapping[int, int],
    threshold: float,
    seed: int,
    ladder: Sequence[LadderStep] = LADDER,
) -> EngineChoice:
    """Tries the engines of ``ladder`` in order and returns the first that passes the parity gate.

    Args:
        estimator: The fitted scikit-learn estimator.
        matrix: Real rows, float64 array of shape (rows, features).
        golden: The rows of the golden requests, float64 array of shape (rows, features). All are compared.
        categories: Number of codes of each category column.
        threshold: Probability from which the prediction is 1.
        seed: Seed of the comparison's random rows.
        ladder: The engines to try. With none, scikit-learn serves.
    """
    ensemble = trees.read(estimator) or xgboost_trees.read(estimator)
    inputs = probe_inputs(estimator, matrix.shape[1])
    if ensemble is not None and ensemble.single:  # XGBoost accepts infinities, so the probe cannot see the rounding
        inputs = inputs.model_copy(update={"dtype": "float32"})
    model = TrainedModel(estimator, ensemble, inputs)
    gate = ParityGate(
        SklearnModel(estimator),
        matrix,
        golden,
        categories=categories,
        ensemble=ensemble,
        missing=model.inputs.missing,
        threshold=threshold,
        seed=seed,
    )
    tried: list[Parity] = []
    with tempfile.TemporaryDirectory(prefix="nightjar-engines-") as folder:
        for step in ladder:
            if step.trees_only and ensemble is None:
                continue
            path = Path(folder) / FAST_FORMS[step.engine]
            tried.append(_try(step, model, path, gate))
            if tried[-1].passed:
                return EngineChoice(step.engine, {path.name: path.read_bytes()}, model.inputs, tuple(tried))
    return EngineChoice("scikit-learn", {}, None, tuple(tried))


def _try(step: LadderStep, model: TrainedModel, path: Path, gate: ParityGate) -> Parity:
    # Any error with a fast form is a reason to serve another one, never to lose the model.
    try:
        step.write(model, path)
        return gate.check(loading.load(step.engine, path, model.inputs))
    except Exception as error:
        return gate.failed(step.engine, _ADDRESS.sub("", f"{type(error).__name__}: {error}")[:_REASON_CHARACTERS])
