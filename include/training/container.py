"""SageMaker's container contract: the folders of channels and outputs, hyperparameters, failures and metrics.

The root folder is the environment variable ``ML_ROOT`` (default ``/opt/ml``). No ``SM_*`` variable is used, because
SageMaker sets those in its own images only.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from include.errors import NightjarError

# SageMaker cuts a FailureReason after this many characters.
FAILURE_CHARACTERS = 1024
log = logging.getLogger(__name__)


class JobError(NightjarError):
    """The job cannot be done as requested. The text states what to do; a traceback adds nothing."""


def ml_root() -> Path:
    """Returns the root folder of the contract."""
    return Path(os.environ.get("ML_ROOT", "/opt/ml"))


def hyperparameters() -> dict[str, str]:
    """Reads the training job's hyperparameters. SageMaker passes every value as a string."""
    path = ml_root() / "input" / "config" / "hyperparameters.json"
    return json.loads(path.read_text()) if path.exists() else {}


def channel(name: str) -> Path:
    """Returns the folder of a training job's input channel.

    Raises:
        JobError: The job has no such channel.
    """
    return _existing(ml_root() / "input" / "data" / name, f"channel {name}")


def model_folder() -> Path:
    """Returns the folder whose files SageMaker packs into ``model.tar.gz`` when the training job ends."""
    return _created(ml_root() / "model")


def checkpoint_folder() -> Path | None:
    """Returns the folder that SageMaker copies to S3 while the training job runs; None if the job has none."""
    folder = ml_root() / "checkpoints"
    return folder if folder.is_dir() else None


def processing_input(name: str) -> Path:
    """Returns the folder of a processing job's input.

    Raises:
        JobError: The job has no such input.
    """
    return _existing(ml_root() / "processing" / "input" / name, f"processing input {name}")


def has_processing_input(name: str) -> bool:
    """Returns whether the job has this optional input, with a file in it."""
    folder = ml_root() / "processing" / "input" / name
    return folder.is_dir() and any(path.is_file() for path in folder.rglob("*"))


def processing_output() -> Path:
    """Returns the folder whose files SageMaker uploads when the processing job ends."""
    return _created(ml_root() / "processing" / "output")


def write_exit_message(text: str) -> None:
    """Writes the text, at most 1 KB, that DescribeProcessingJob returns as ExitMessage."""
    (_created(ml_root() / "output") / "message").write_text(text)


def only_file(folder: Path) -> Path:
    """Returns the one file below a folder.

    Raises:
        JobError: There is none, or more than one.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(files) != 1:
        raise JobError(f"{folder} must contain one file, but contains {len(files)}. Correct the job's input.")
    return files[0]


def log_metric(name: str, value: str) -> None:
    """Logs ``metric:<name>=<value>``, which a training job's MetricDefinitions match."""
    log.info("metric:%s=%s", name, value)


def run(main: Callable[[], None]) -> None:
    """Runs a job's main function, with log lines on standard output.

    On failure it writes the reason to ``output/failure``, which SageMaker reports as FailureReason, and exits with 1.
    """
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    logging.getLogger("include").setLevel(logging.INFO)
    try:
        main()
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        if not isinstance(error, JobError):
            text += "\n" + traceback.format_exc()
        sys.stderr.write(text + "\n")
        failure = _created(ml_root() / "output") / "failure"
        failure.write_text(text[:FAILURE_CHARACTERS])
        sys.exit(1)


def _existing(folder: Path, what: str) -> Path:
    if not folder.is_dir():
        raise JobError(f"The job has no {what}: {folder} does not exist. Add it to the job's inputs.")
    return folder


def _created(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
