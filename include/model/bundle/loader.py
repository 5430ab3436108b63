"""Loads a bundle: from memory in training and evaluation, streamed through files in the service."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from include.model.bundle import archive
from include.model.bundle.manifest import FileEntry, Manifest, check_files, model_file, parse_manifest
from include.model.bundle.packing import verify
from include.model.engines import FAST_FORMS, ScoringModel, loading
from include.model.errors import BundleError
from include.model.files import FEATURES, FILES, GOLDEN, MANIFEST, MODEL, TRAINING_KEYS
from include.model.golden import GoldenRow, parse_lines
from include.model.request import RequestSchema
from include.model.score import Scorer
from include.workloads.feature_code import FeatureCodeError, FeatureFunction, load_feature_code
from include.workloads.request_features import or_given


class Bundle:
    """A verified and loaded bundle.

    Attributes:
        manifest: The parsed ``manifest.json``.
        schema: Schema of the request record.
        model: The model in the engine that the manifest names.
        scorer: The model behind the bundle's own feature code.
        golden: The golden rows.
        training_keys: Content of ``training_keys.bin``.
    """

    def __init__(
        self, manifest: Manifest, model: ScoringModel, scorer: Scorer, golden: list[GoldenRow], training_keys: bytes
    ) -> None:
        self.manifest = manifest
        self.schema = RequestSchema(manifest.request, manifest.request_rules, manifest.request_features)
        self.model = model
        self.scorer = scorer
        self.golden = golden
        self.training_keys = training_keys


def load(files: Mapping[str, bytes]) -> Bundle:
    """Verifies a bundle in memory, then loads it from the same bytes.

    Raises:
        BundleError: A check failed, or the feature code or the model cannot be loaded.
    """
    manifest = verify(files)
    with tempfile.TemporaryDirectory(prefix="nightjar-bundle-") as folder:
        path = Path(folder) / model_file(manifest.engine)
        path.write_bytes(files[path.name])
        return _load(manifest, path, files)


def open_packed(path: Path, expected_digest: str, folder: Path, max_bytes: int = archive.MAX_UNPACKED_BYTES) -> Bundle:
    """Loads a packed bundle for the service. Nothing is unpacked before the digest was compared.

    Memory use is little more than the loaded model. Reading stops as soon as the engine has its files: with a fast
    form, ``model.joblib`` is neither unpacked nor unpickled.

    Args:
        path: The ``tar.gz``.
        expected_digest: Its sha256, lower-case hexadecimal.
        folder: A folder that no other user can write to. It may be deleted afterwards.
        max_bytes: Limit of the unpacked size.

    Raises:
        BundleError: The digest differs, a check failed, the disk is full, or the feature code or the model cannot be
            loaded.
    """
    with path.open("rb") as packed:
        actual_digest = hashlib.file_digest(packed, "sha256").hexdigest()
        if actual_digest != expected_digest:
            raise BundleError(
                f"The bundle has the sha256 {actual_digest}, but {expected_digest} was requested; nothing was loaded"
            )
        packed.seek(0)
        target = Path(tempfile.mkdtemp(prefix="bundle-", dir=folder))
        try:
            manifest, extracted = _extract(archive.members(packed, max_bytes), target)
        except OSError as error:
            raise BundleError(f"The bundle cannot be unpacked into {folder}: {error}") from error
    check_files(manifest, extracted)
    model = target / model_file(manifest.engine)
    return _load(manifest, model, {name: (target / name).read_bytes() for name in extracted if name != model.name})


def _extract(members: Iterable[tuple[str, Iterator[bytes]]], folder: Path) -> tuple[Manifest, dict[str, FileEntry]]:
    """Writes the files that the engine needs into ``folder``. Their digests are returned, not yet checked."""
    manifest: Manifest | None = None
    needed = {*FILES, *FAST_FORMS.values()}
    extracted: dict[str, FileEntry] = {}
    for name, pieces in members:
        if name == MANIFEST:
            manifest = parse_manifest(b"".join(pieces))
            needed = _needed(manifest)
        elif name in needed:
            extracted[name] = _write(folder / name, pieces)
        if manifest is None:
            continue
        if unnamed := {name, *extracted} - {*manifest.files, MANIFEST}:
            raise BundleError(f"The bundle contains {', '.join(sorted(unnamed))}, which its {MANIFEST} does not name")
        if needed <= extracted.keys():
            return manifest, {name: extracted[name] for name in needed}
    if manifest is None:
        raise BundleError(f"The bundle has no {MANIFEST}")
    raise BundleError(f"The bundle lacks {', '.join(sorted(needed - extracted.keys()))}")


def _needed(manifest: Manifest) -> set[str]:
    unused = {MODEL} if manifest.engine in FAST_FORMS else set()
    return {*FILES, model_file(manifest.engine)} - unused


def _write(path: Path, pieces: Iterator[bytes]) -> FileEntry:
    sha256, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for piece in pieces:
            file.write(piece)
            sha256.update(piece)
            size += len(piece)
    return FileEntry(sha256=sha256.hexdigest(), bytes=size)


def _load(manifest: Manifest, path: Path, files: Mapping[str, bytes]) -> Bundle:
    """Loads verified files. ``path`` is the engine's own file, ``files`` has the others."""
    features = _load_features(manifest, files[FEATURES])
    try:
        model = loading.load(manifest.engine, path, manifest.inputs)
    except Exception as error:
        verb = "unpickled" if path.name == MODEL else "loaded"
        raise BundleError(f"{path.name} cannot be {verb}: {type(error).__name__}: {error}") from error
    computed = or_given(features, manifest.request_features)
    scorer = Scorer(computed, manifest.features, manifest.categories, model, manifest.threshold)
    return Bundle(manifest, model, scorer, parse_lines(files[GOLDEN]), files[TRAINING_KEYS])


def _load_features(manifest: Manifest, source: bytes) -> FeatureFunction:
    try:
        code = load_feature_code(source)
    except FeatureCodeError as error:
        raise BundleError(f"{FEATURES} of the bundle cannot be loaded: {error}") from error
    if list(code.kinds.items()) != list(manifest.features.items()):
        raise BundleError(f"FEATURES in {FEATURES} must be the features of {MANIFEST}, in the same order")
    return code.features
