"""Checkpoints of the training job: on spare capacity, a fit goes on where an interrupted one was.

SageMaker creates the folder ``checkpoints`` below the root of its contract where the job has a CheckpointConfig, copies
it to S3 while the job runs, and back when the job restarts. The estimator is fitted in :data:`STEPS` steps there, and
saved after each. It is read back after each, too, so that an interrupted fit goes the same way as one that was not.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import joblib
from sklearn.base import BaseEstimator

from include.training import container, estimators

STEPS = 10
FILE = "fit"
# The parameter by which an estimator is fitted step by step. Others are fitted at once: they take seconds.
SIZES: Mapping[str, str] = {
    "HistGradientBoostingClassifier": "max_iter",
    "RandomForestClassifier": "n_estimators",
    "XGBClassifier": "n_estimators",
}
Fit = Callable[[BaseEstimator], None]
log = logging.getLogger(__name__)


def fit(model: BaseEstimator, made_from: Mapping[str, Any], fit_once: Fit) -> BaseEstimator:
    """Fits an estimator: in steps where the job has checkpoints and the estimator can go on, else at once.

    Args:
        model: The estimator, not fitted.
        made_from: What decides the result. A checkpoint of anything else is not used.
        fit_once: Fits an estimator in place.

    Returns:
        The fitted estimator.
    """
    folder, size = container.checkpoint_folder(), SIZES.get(type(model).__name__)
    if folder is None or size is None:
        fit_once(model)
        return model
    return _fit_in_steps(model, size, folder / FILE, _key(model, made_from), fit_once)


def _fit_in_steps(model: Any, size: str, file: Path, key: str, fit_once: Fit) -> BaseEstimator:
    given = model.get_params()
    total = given[size]
    model, done = _read(file, key) or (model, 0)
    if done:
        log.info("The fit goes on from a checkpoint: %d of %d (%s)", done, total, size)
    for end in sorted({max(1, total * step // STEPS) for step in range(1, STEPS + 1)}):
        if end <= done or _has_ended_early(model, size, done):
            continue
        model.set_params(**_next_step(model, size, done, end))
        fit_once(model)
        done = end
        model, _ = _write(file, key, model, done)
    return model.set_params(**{name: given[name] for name in ("warm_start", size) if name in given})


def _next_step(model: Any, size: str, done: int, end: int) -> dict[str, Any]:
    """The parameters of the next fit. scikit-learn counts from the start, XGBoost what is still to come."""
    return {"warm_start": True, size: end} if "warm_start" in model.get_params() else {size: end - done}


def _has_ended_early(model: Any, size: str, done: int) -> bool:
    """Whether early stopping has ended the fit: another step would go on all the same."""
    return size == "max_iter" and done > 0 and model.n_iter_ < done


def _key(model: BaseEstimator, made_from: Mapping[str, Any]) -> str:
    parameters = {name: repr(value) for name, value in model.get_params().items()}
    parts = {**made_from, "kind": type(model).__name__, "parameters": parameters, **estimators.libraries(model)}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _write(file: Path, key: str, model: Any, done: int) -> tuple[Any, int]:
    """Writes a checkpoint and returns what reading it gives. A copy to S3 may see the file at any time."""
    buffer = io.BytesIO()
    joblib.dump((model, done), buffer)
    body = buffer.getvalue()
    head = f"{key} {hashlib.sha256(body).hexdigest()}\n".encode()
    new = file.with_suffix(".new")
    new.write_bytes(head + body)
    new.replace(file)
    return joblib.load(io.BytesIO(body))


def _read(file: Path, key: str) -> tuple[Any, int] | None:
    """The estimator and its size; None if there is no whole checkpoint of this fit."""
    if not file.is_file():
        return None
    head, _, body = file.read_bytes().partition(b"\n")
    if head.decode("ascii", "replace").split() != [key, hashlib.sha256(body).hexdigest()]:
        log.warning("The checkpoint is of another fit, or only a part of it is there: the fit begins anew")
        return None
    return joblib.load(io.BytesIO(body))
