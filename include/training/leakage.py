"""Checks that no model has seen the test set: by time, from the data set manifests, and by key, from the bundles."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.lake.instants import parse_instant
from include.lake.manifest import DatasetManifest
from include.model.bundle import Bundle, key_digests
from include.model.bundle.training_keys import from_bytes
from include.training import data
from include.training.container import JobError


def check_unseen(test: pa.Table, bundle: Bundle, manifest: DatasetManifest, role: str) -> None:
    """Checks that a test set is unseen by a model.

    By time: no test event is older than the end of the train or validation split. That end is exclusive, so for an
    event at that very instant the check by key decides. By key: no test key is among the keys that the model was
    trained or tuned on.

    Args:
        test: The test split.
        bundle: The model.
        manifest: The manifest of the data set that the model was trained on.
        role: Candidate or champion, for the error.

    Raises:
        JobError: The model has seen a part of the test set, or the check cannot be made.
    """
    if bundle.manifest.dataset_version != manifest["version"]:
        raise JobError(
            f"The {role} was trained on data set {bundle.manifest.dataset_version}, but its manifest is of "
            f"{manifest['version']}. Pass the manifest of the {role}'s own data set."
        )
    _check_times(test, manifest, role)
    _check_keys(test, bundle, role)


def _check_times(test: pa.Table, manifest: DatasetManifest, role: str) -> None:
    first = _in_utc(pc.min(test["event_time"]).as_py())
    for split in ("train", "validation"):
        end = _end(manifest, split, role)
        if first < end:
            raise JobError(
                f"The test set begins at {first.isoformat()}, but the {role}'s {split} split ends at "
                f"{end.isoformat()}: the model has seen these days. Evaluate on a test set after the cut-off of both "
                "models."
            )


def _check_keys(test: pa.Table, bundle: Bundle, role: str) -> None:
    seen = from_bytes(bundle.training_keys)
    if not seen.size:
        raise JobError(f"The {role}'s bundle contains no training keys to compare the test set with. Train it again.")
    shared = int(np.isin(key_digests(data.keys(test)), seen).sum())
    if shared:
        raise JobError(
            f"{shared} keys of the test set are in the {role}'s train or validation split: it has seen their labels. "
            "Give a key one event time: see the events of these keys."
        )


def _end(manifest: DatasetManifest, split: str, role: str) -> datetime:
    try:
        return parse_instant(manifest["splits"][split]["to"])
    except (KeyError, ValueError) as error:
        raise JobError(
            f"The {role}'s manifest has no valid end of its {split} split (splits.{split}.to): {error}. "
            f"{data.PASS_MANIFEST}"
        ) from None


def _in_utc(time: datetime) -> datetime:
    # Athena writes timestamps without a time zone, in UTC.
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
