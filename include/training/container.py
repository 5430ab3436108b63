"""SageMaker's container contract: where channels, hyperparameters and outputs lie, and how a job fails readably.

The root is the environment variable ``ML_ROOT`` (default ``/opt/ml``). No ``SM_*`` variable is used: SageMaker sets those only
in its own images.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

FAILURE_CHARACTERS = 1024


class JobError(Exception):
    """The job cannot be done as asked. The text says what to do; no traceback is needed to understand it."""


def ml_root() -> Path:
    """The root of the contract."""
    return Path(os.environ.get("ML_ROOT", "/opt/ml"))


def hyperparameters() -> dict[str, str]:
    """The training job's hyperparameters: strings, as SageMaker hands them over."""
    path = ml_root() / "input" / "config" / "hyperparameters.json"
    return json.loads(path.read_text()) if path.exists() else {}


def channel(name: str) -> Path:
    """A training job's input channel. Errors: :class:`JobError` when the job has none of this name."""
    return _existing(ml_root() / "input" / "data" / name, f"channel {name}")


def model_folder() -> Path:
    """What lies here when the training job ends becomes ``model.tar.gz``."""
    return _made(ml_root() / "model")


def processing_input(name: str) -> Path:
    """A processing job's input. Errors: :class:`JobError` when the job has none of this name."""
    return _existing(ml_root() / "processing" / "input" / name, f"processing input {name}")


def has_processing_input(name: str) -> bool:
    """Whether an optional input was given and holds a file."""
    folder = ml_root() / "processing" / "input" / name
    return folder.is_dir() and any(path.is_file() for path in folder.rglob("*"))


def processing_output() -> Path:
    """What lies here when the processing job ends is uploaded."""
    return _made(ml_root() / "processing" / "output")


def only_file(folder: Path) -> Path:
    """The one file of a folder that carries one document."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(files) != 1:
        raise JobError(f"{folder} must hold one file, but holds {len(files)}")
    return files[0]


def run(main: Callable[[], None]) -> None:
    """Runs a job's main function. On failure writes the reason to ``output/failure`` and exits with 1."""
    try:
        main()
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        if not isinstance(error, JobError):
            text += "\n" + traceback.format_exc()
        print(text, file=sys.stderr, flush=True)
        failure = _made(ml_root() / "output") / "failure"
        failure.write_text(text[:FAILURE_CHARACTERS])
        sys.exit(1)


def _existing(folder: Path, what: str) -> Path:
    if not folder.is_dir():
        raise JobError(f"The job has no {what}: {folder} does not exist. Add it to the job's inputs.")
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
