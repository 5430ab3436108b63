"""Chooses what serves a model: the first engine, fastest first, whose form of it can be made and passes the parity gate.

For the training container alone: it needs onnx, skl2onnx and scikit-learn. A model is never refused here. Where no fast form
passes, the reference serves, and the manifest says why.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import treelite

from include.model.engines import FAST_FORMS, Engine, Parity, loading, onnx_generic, onnx_trees, trees
from include.model.engines.inputs import Inputs, measure
from include.model.engines.parity import Gate
from include.model.engines.sklearn_model import SklearnModel
from include.model.engines.trees import Ensemble

# ONNX Runtime copies a forest into structures of its own. Of 4.9 million nodes it makes 960 MB (1750 MB while it loads) in 4.6 s,
# where Treelite needs 503 MB (547 MB) and 0.23 s; below a million nodes it stays under 0.4 GB and a second, and scores faster.
MAX_ONNX_NODES = 1_000_000
_REASON_CHARACTERS = 300
# Of an object, in a converter's error: it would give the same model another bundle digest.
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Source(NamedTuple):
    """What a fast form is made from. ``ensemble`` is ``None`` for an estimator that is no tree ensemble."""

    estimator: Any
    ensemble: Ensemble | None
    inputs: Inputs


class Rung(NamedTuple):
    """``write`` makes the engine's file; it may raise anything."""

    engine: Engine
    write: Callable[[Source, Path], None]


class Published(NamedTuple):
    """``files``: the fast form by its name in the bundle, none when scikit-learn serves; ``inputs`` belong to it."""

    engine: Engine
    files: dict[str, bytes]
    inputs: Inputs | None
    parity: tuple[Parity, ...]


def write_onnx(source: Source, path: Path) -> None:
    """Errors: ``ValueError`` for an ensemble above the node limit; skl2onnx's own for what it cannot convert."""
    if source.ensemble is None:
        path.write_bytes(onnx_generic.build(source.estimator, source.inputs).SerializeToString())
        return
    if source.ensemble.nodes > MAX_ONNX_NODES:
        raise ValueError(f"{source.ensemble.nodes} nodes are more than the {MAX_ONNX_NODES} that ONNX Runtime is given")
    path.write_bytes(onnx_trees.build(source.ensemble, source.inputs).SerializeToString())


def write_treelite(source: Source, path: Path) -> None:
    """Errors: Treelite's own for what is no tree ensemble."""
    # Where a category was missing, scikit-learn keeps NaN as the last one and Treelite casts it with a warning. No split names
    # it, for a missing value is told apart before its category is looked up.
    with np.errstate(invalid="ignore"):
        treelite.sklearn.import_model(source.estimator).serialize(path)


LADDER = (Rung("onnxruntime", write_onnx), Rung("treelite", write_treelite))


def publish(
    estimator: Any,
    matrix: np.ndarray,
    golden: np.ndarray,
    *,
    categories: Mapping[int, int],
    threshold: float,
    seed: int,
    ladder: Sequence[Rung] = LADDER,
) -> Published:
    """``matrix``: real rows, float64 (rows, features); ``golden``: those that will prove the bundle, likewise.

    ``categories``: how many codes each category column has.
    """
    ensemble = trees.read(estimator)
    source = Source(estimator, ensemble, measure(estimator, matrix.shape[1]))
    gate = Gate(
        SklearnModel(estimator),
        matrix,
        golden,
        categories=categories,
        ensemble=ensemble,
        missing=source.inputs.missing,
        threshold=threshold,
        seed=seed,
    )
    tried: list[Parity] = []
    with tempfile.TemporaryDirectory(prefix="nightjar-engines-") as folder:
        for rung in ladder:
            path = Path(folder) / FAST_FORMS[rung.engine]
            tried.append(_try(rung, source, path, gate))
            if tried[-1].passed:
                return Published(rung.engine, {path.name: path.read_bytes()}, source.inputs, tuple(tried))
    return Published("scikit-learn", {}, None, tuple(tried))


def _try(rung: Rung, source: Source, path: Path, gate: Gate) -> Parity:
    # Whatever goes wrong with a fast form is a reason to serve another one, never to lose the model.
    try:
        rung.write(source, path)
        return gate.check(loading.load(rung.engine, path, source.inputs))
    except Exception as error:
        return gate.failed(rung.engine, _ADDRESS.sub("", f"{type(error).__name__}: {error}")[:_REASON_CHARACTERS])
