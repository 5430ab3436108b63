"""A bundle in memory, as ``{name: bytes}``: sealed with a manifest, packed, unpacked and verified."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.model.bundle import archive
from include.model.bundle.manifest import Manifest, check_files, check_names, file_entry, parse_manifest
from include.model.engines import FAST_FORMS, Engine
from include.model.errors import BundleError
from include.model.files import MANIFEST, MODEL


def seal(files: Mapping[str, bytes], **fields: Any) -> dict[str, bytes]:
    """Adds the manifest.

    Args:
        files: :data:`FILES`, at most one fast form, which decides the engine, and possibly the baseline.
        **fields: The fields of :class:`Manifest` but ``format``, ``files`` and ``engine``.

    Raises:
        BundleError: A file is missing, or there is one too many.
    """
    engine = _engine(files)
    check_names(files, engine)
    entries = {name: file_entry(files[name]) for name in sorted(files)}
    manifest = Manifest(format=1, engine=engine, files=entries, **fields)
    # The keys are not sorted: the order of the features is the order of the model's columns.
    text = json.dumps(manifest.model_dump(mode="json", exclude_defaults=True), indent=1, allow_nan=False)
    return {**files, MANIFEST: text.encode() + b"\n"}


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Writes the files of a bundle into a folder, from which SageMaker makes ``model.tar.gz``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def pack(files: Mapping[str, bytes]) -> bytes:
    """Packs a bundle as a ``tar.gz`` whose bytes depend on names and contents only.

    The manifest comes first, so that a reader knows which files it needs. ``model.joblib`` comes last, so that a reader
    with a fast form never reads it.
    """
    return archive.write(files, sorted(files, key=lambda name: (name != MANIFEST, name == MODEL, name)))


def unpack(data: bytes, max_bytes: int = archive.MAX_UNPACKED_BYTES) -> dict[str, bytes]:
    """Unpacks the regular files of a ``tar.gz``, unverified.

    Raises:
        BundleError: The archive is damaged or unsafe (see :func:`archive.members`).
    """
    return {name: b"".join(pieces) for name, pieces in archive.members(io.BytesIO(data), max_bytes)}


def verify(files: Mapping[str, bytes]) -> Manifest:
    """Checks the manifest and every file against it. Executes and unpickles nothing.

    Raises:
        BundleError: The manifest is missing or wrong, or a file is not the one that it describes.
    """
    if MANIFEST not in files:
        raise BundleError(f"The bundle has no {MANIFEST}")
    manifest = parse_manifest(files[MANIFEST])
    check_names(files.keys() - {MANIFEST}, manifest.engine)
    check_files(manifest, {name: file_entry(files[name]) for name in manifest.files})
    return manifest


def _engine(files: Mapping[str, bytes]) -> Engine:
    for engine, name in FAST_FORMS.items():
        if name in files:
            return engine
    return "scikit-learn"
