"""The test set must lie in no model's train or validation data: by time, from the manifests, and by key, from the bundles."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.model.bundle import Bundle
from include.training import data
from include.training.container import JobError


def check_unseen(test: pa.Table, bundle: Bundle, manifest: Mapping[str, Any], who: str) -> None:
    """Raises :class:`JobError` unless ``test`` is unseen by ``bundle``. ``manifest`` is that of the bundle's own data set.

    ``who`` (candidate or champion) is named in the error. By time: no test event may be older than the end of train or
    validation (an end is exclusive, so an event at that very moment is left to the keys). By key: no test key may be among the
    digests of the keys that the bundle was trained or tuned on.
    """
    if bundle.manifest.dataset_version != manifest["version"]:
        raise JobError(
            f"The {who} was trained on data set {bundle.manifest.dataset_version}, but its manifest is of {manifest['version']}"
        )
    first = as_time(pc.min(test["event_time"]).as_py(), "event_time")
    for split in ("train", "validation"):
        entry = manifest["splits"].get(split, {})
        if not entry.get("to"):
            raise JobError(f"The {who}'s manifest does not say until when its {split} split goes (splits.{split}.to)")
        end = as_time(entry["to"], f"splits.{split}.to")
        if first < end:
            raise JobError(
                f"The test set begins at {first.isoformat()}, but the {who}'s {split} split goes until {end.isoformat()}: "
                "the model has seen these days. Evaluate on a test set after the cut-off of both models."
            )
    seen = np.frombuffer(bundle.training_keys, dtype="<u8")
    if not seen.size:
        raise JobError(f"The {who}'s bundle names no key that it was trained on")
    shared = int(np.isin(data.key_digests(data.keys(test)), seen).sum())
    if shared:
        raise JobError(
            f"{shared} keys of the test set are in the {who}'s train or validation split: it has seen their labels"
        )


def as_time(value: Any, name: str) -> datetime:
    """A time of a manifest or a column as UTC; a date is its midnight."""
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise JobError(f"{name} is {value!r}, which is no ISO 8601 time") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
