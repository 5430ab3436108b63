"""The model kind ``xgboost``: gradient boosting that is trained on a GPU where the container sees one.

The model is the same for the same rows, whatever the number of CPUs: the number of threads is made from the number of
rows. A GPU rounds otherwise, so its model differs. What is pickled knows nothing of either: it scores on one thread of
the CPU, in a service that forks.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from xgboost import XGBClassifier

CPU, CUDA = "cpu", "cuda"
# An attribute of the booster, so that it is in the checkpoint and in the pickle: the devices that trained it.
TRAINED_ON = "trained_on"
# More threads than cores only take turns; fewer rows than this keep a thread waiting for the others.
ROWS_PER_THREAD, MAX_THREADS = 100_000, 16
# XGBoost's default of 256 makes up to 256 thresholds of a feature, one more than the engine native has.
MAX_BIN = 255
_SHARE: Mapping[str, Any] = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
_FROM_ZERO: Mapping[str, Any] = {"type": "number", "minimum": 0}
# The hyperparameters that a workload may set, as JSON schemas. XGBoost itself ignores a name that it does not know.
# Source: https://xgboost.readthedocs.io/en/release_3.1.0/parameter.html
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "base_score": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "colsample_bylevel": _SHARE,
    "colsample_bynode": _SHARE,
    "colsample_bytree": _SHARE,
    "gamma": _FROM_ZERO,
    "grow_policy": {"enum": ["depthwise", "lossguide"]},
    "learning_rate": _SHARE,
    "max_bin": {"type": "integer", "minimum": 2},
    "max_cat_threshold": {"type": "integer", "minimum": 1},
    "max_cat_to_onehot": {"type": "integer", "minimum": 1},
    "max_delta_step": _FROM_ZERO,
    "max_depth": {"type": "integer", "minimum": 0},
    "max_leaves": {"type": "integer", "minimum": 0},
    "min_child_weight": _FROM_ZERO,
    "n_estimators": {"type": "integer", "minimum": 1},
    "reg_alpha": _FROM_ZERO,
    "reg_lambda": _FROM_ZERO,
    "scale_pos_weight": {"type": "number", "exclusiveMinimum": 0},
    "subsample": _SHARE,
}
VERSION: str = xgboost.__version__
log = logging.getLogger(__name__)


def make(kinds: Sequence[str], seed: int, parameters: Mapping[str, Any]) -> XGBClassifier:
    """Makes an unfitted classifier.

    Raises:
        TypeError: A hyperparameter is unknown.
    """
    if unknown := [name for name in parameters if name not in PARAMETERS]:
        raise TypeError(f"xgboost has no hyperparameter {', '.join(unknown)} that a workload may set")
    return XGBClassifier(
        objective="binary:logistic",
        tree_method="hist",
        feature_types=["c" if kind == "category" else "q" for kind in kinds],
        enable_categorical=True,
        random_state=seed,
        n_jobs=1,
        device=CPU,
        **{"max_bin": MAX_BIN, "n_estimators": 100, **parameters},
    )


def fit(model: XGBClassifier, matrix: np.ndarray, labels: np.ndarray, devices: Path = Path("/dev")) -> None:
    """Fits a classifier in place; one that is already fitted gets ``n_estimators`` further trees.

    Args:
        model: The classifier.
        matrix: float64 array of shape (rows, features).
        labels: int8 array of shape (rows,).
        devices: The folder of device files, where a GPU is looked for.

    Raises:
        ValueError: XGBoost refuses the rows or a hyperparameter.
    """
    before = model.get_booster() if model.__sklearn_is_fitted__() else None
    wanted = CUDA if sees_gpu(devices) else CPU
    model.set_params(device=wanted, n_jobs=threads(len(matrix)))
    model.fit(matrix, labels, xgb_model=before)
    used = _device_of(model.get_booster())
    if used != wanted:
        log.warning("The container sees a GPU, but XGBoost has trained on the CPU: %s", _why_not())
    log.info("XGBoost has trained on %s", used)
    earlier = (trained_on(model) or "").split(", ") if before else []
    model.set_params(device=CPU, n_jobs=1)
    model.get_booster().set_attr(**{TRAINED_ON: ", ".join(dict.fromkeys([*earlier, used]))})


def threads(rows: int) -> int:
    """The number of threads of a fit. Sums of floats may depend on it, so it does not depend on the machine."""
    return max(1, min(MAX_THREADS, rows // ROWS_PER_THREAD))


def sees_gpu(devices: Path) -> bool:
    """Whether the container has a GPU: the runtime of NVIDIA makes a device file for each (``/dev/nvidia0``)."""
    return any(devices.glob("nvidia[0-9]*"))


def trained_on(model: XGBClassifier) -> str | None:
    """The devices that trained a classifier; where a fit went on elsewhere, all of them."""
    found: str | None = model.get_booster().attr(TRAINED_ON)
    return found


def _device_of(booster: Any) -> str:
    """What XGBoost has used: it goes on with the CPU, and only warns, where it finds no GPU or has no CUDA."""
    device: str = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
    return device.partition(":")[0]


def _why_not() -> str:
    if not xgboost.build_info().get("USE_CUDA"):
        return "this image has the package xgboost-cpu; the image for GPUs has xgboost-cu12 (docs/training.md)"
    return "it found no GPU that works; see its warning above"
