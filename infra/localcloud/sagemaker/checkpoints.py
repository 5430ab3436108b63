"""The checkpoint folder of a training job: copied to S3 while the job runs, and back when it restarts."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from moto.sagemaker.exceptions import ValidationError

from infra.localcloud.sagemaker.storage import Storage

DEFAULT_FOLDER = "/opt/ml/checkpoints"
SYNC_SECONDS = 0.5
INTERRUPT_TAG = "localcloud:interruptions"


class Interrupted(Exception):  # noqa: N818 - no error: the capacity is taken away, and the job goes on
    """The job's capacity was taken away."""


class Checkpoints:
    """A folder and its copy in S3.

    Args:
        storage: S3 with the job's role.
        uri: CheckpointConfig's S3Uri.
        folder: The folder that the process sees at LocalPath.
    """

    def __init__(self, storage: Storage, uri: str, folder: Path) -> None:
        self._storage = storage
        self._uri = uri
        self._folder = folder
        self._copied: dict[Path, tuple[int, int]] = {}

    def restore(self) -> None:
        """Creates the folder, and fills it with what is in S3."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._storage.download(self._uri.rstrip("/") + "/", self._folder, required=False)
        self._copied = self._files()

    def copy(self) -> int:
        """Copies files that are new or have changed; returns how many of them did not change meanwhile."""
        before = self._files()
        changed = [path for path, state in before.items() if self._copied.get(path) != state]
        for path in changed:
            with suppress(FileNotFoundError):  # the process has renamed it
                self._storage.upload_file(path, f"{self._uri.rstrip('/')}/{path.relative_to(self._folder).as_posix()}")
        after = self._files()
        self._copied = {path: state for path, state in before.items() if after.get(path) == state}
        return sum(path in self._copied for path in changed)

    def _files(self) -> dict[Path, tuple[int, int]]:
        files: dict[Path, tuple[int, int]] = {}
        with suppress(FileNotFoundError):  # the process renames a folder: the rest is copied the next time
            for path in sorted(self._folder.rglob("*")):
                with suppress(FileNotFoundError):
                    stat = path.stat()
                    if path.is_file():
                        files[path] = (stat.st_mtime_ns, stat.st_size)
        return files


def interruptions(request: dict[str, Any]) -> int:
    """How often a job on spare capacity is interrupted, by its tag :data:`INTERRUPT_TAG`.

    The tag is this server's own: AWS takes capacity away when it needs it. Each interruption comes after a checkpoint
    has reached S3.

    Raises:
        ValidationError: The tag's value is no number, or the job is not on spare capacity with checkpoints.
    """
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or []}
    if INTERRUPT_TAG not in tags:
        return 0
    if not request.get("EnableManagedSpotTraining") or "CheckpointConfig" not in request:
        raise ValidationError(
            f"The tag {INTERRUPT_TAG} is for a job with EnableManagedSpotTraining and CheckpointConfig"
        )
    if not tags[INTERRUPT_TAG].isdigit():
        raise ValidationError(f"The tag {INTERRUPT_TAG} must be a number, not {tags[INTERRUPT_TAG]!r}")
    return int(tags[INTERRUPT_TAG])
