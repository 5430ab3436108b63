"""The bundle: everything that scores a request, in one deterministic ``tar.gz`` whose sha256 is its name.

A bundle is a flat set of files: ``manifest.json`` (vouches for each other file by sha256), ``model.joblib``, ``features.py``
(the workload's feature code as it was when the model was trained, so that an old model is always scored by its own
features), ``golden.jsonl``, ``training_keys.bin`` and at most one fast form of the model, which its ``engine`` reads in place of
``model.joblib``. Training and evaluation handle it in memory, as ``{name: bytes}``; the service streams it into files of its
own (:func:`open_packed`). Order of trust: digest of the archive, then the manifest, then each file's digest; only then is code
run (``features.py``), a fast form parsed or ``model.joblib`` unpickled.

Errors: :class:`BundleError`, whose text says which check failed.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from include.model import archive
from include.model.archive import BundleError
from include.model.engines import FAST_FORMS, Engine, Model, Parity, loading
from include.model.engines.inputs import Inputs
from include.model.golden import GoldenRow
from include.model.request import RequestSchema
from include.model.score import Scorer
from include.workloads import FieldSpec
from include.workloads.feature_code import FeatureCodeError, load_feature_code

MANIFEST = "manifest.json"
MODEL = "model.joblib"
FEATURES = "features.py"
GOLDEN = "golden.jsonl"
TRAINING_KEYS = "training_keys.bin"
FILES = (FEATURES, GOLDEN, MODEL, TRAINING_KEYS)
MINIMUM_GOLDEN_ROWS = 20
# A forest of five million nodes is 0.5 GB as model.joblib and as much again in its fast form.
MAX_UNPACKED_BYTES = 4 << 30


class FileEntry(BaseModel):
    """What the manifest says of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Manifest(BaseModel):
    """``manifest.json``. ``categories`` holds each category feature's values; a value's place is its code.

    ``engine`` scores; ``inputs`` are the rows that it takes, and ``parity`` is what was measured of each engine that was tried.
    A bundle from before there were fast forms has neither.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal[1]
    workload: str
    dataset_version: str
    cutoff: str
    code_sha: str
    feature_code_hash: str
    features: dict[str, Literal["number", "category"]] = Field(min_length=1)
    categories: dict[str, list[str]]
    request: dict[str, FieldSpec] = Field(min_length=1)
    threshold: float = Field(gt=0, lt=1)
    files: dict[str, FileEntry]
    engine: Engine
    inputs: Inputs | None = None
    parity: tuple[Parity, ...] = ()
    model: dict[str, Any]
    libraries: dict[str, str]
    metrics: dict[str, float]


class Bundle:
    """A verified and loaded bundle: ``manifest``, request ``schema``, ``model`` and the ``scorer`` that uses it, ``golden`` rows
    and the ``training_keys`` bytes.
    """

    def __init__(
        self, manifest: Manifest, model: Model, scorer: Scorer, golden: list[GoldenRow], training_keys: bytes
    ) -> None:
        self.manifest = manifest
        self.schema = RequestSchema(manifest.request)
        self.model = model
        self.scorer = scorer
        self.golden = golden
        self.training_keys = training_keys


class _Found(NamedTuple):
    """A file that was met: its size, and its sha256."""

    bytes: int
    sha256: str


def digest(data: bytes) -> str:
    """Lower-case hexadecimal sha256."""
    return hashlib.sha256(data).hexdigest()


def seal(files: Mapping[str, bytes], **fields: Any) -> dict[str, bytes]:
    """Adds the manifest to ``files``: :data:`FILES` and, if there is one, the fast form, which decides the engine.

    ``fields`` are the manifest's, without ``format``, ``files`` and ``engine``.
    """
    engine = next((engine for engine, name in FAST_FORMS.items() if name in files), "scikit-learn")
    _check_names(files, engine)
    entries = {name: FileEntry(sha256=digest(files[name]), bytes=len(files[name])) for name in sorted(files)}
    manifest = Manifest(format=1, engine=engine, files=entries, **fields)
    # Not sorted: the order of the features is the order of the model's columns.
    text = json.dumps(manifest.model_dump(mode="json", exclude_defaults=True), indent=1, allow_nan=False)
    return {**files, MANIFEST: text.encode() + b"\n"}


def read_folder(folder: Path) -> dict[str, bytes]:
    """The files of an unpacked bundle."""
    missing = [name for name in (MANIFEST, *FILES) if not (folder / name).is_file()]
    if missing:
        raise BundleError(f"{folder} is no bundle: it lacks {', '.join(missing)}")
    fast = [name for name in FAST_FORMS.values() if (folder / name).is_file()]
    return {name: (folder / name).read_bytes() for name in (MANIFEST, *FILES, *fast)}


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Writes the files of a bundle, as SageMaker packs them from the model folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def pack(files: Mapping[str, bytes]) -> bytes:
    """A ``tar.gz`` that depends on nothing but names and contents. The manifest is first, so that a reader knows what it needs;
    ``model.joblib`` is last, so that who has a fast form never gets that far.
    """
    return archive.write(files, sorted(files, key=lambda name: (name != MANIFEST, name == MODEL, name)))


def unpack(data: bytes, max_bytes: int = MAX_UNPACKED_BYTES) -> dict[str, bytes]:
    """The regular files of a ``tar.gz``. Refuses links, devices, sub-folders, names that lead elsewhere, and bombs."""
    return {name: b"".join(pieces) for name, pieces in archive.members(io.BytesIO(data), max_bytes)}


def verify(files: Mapping[str, bytes]) -> Manifest:
    """Checks the manifest and every file against it. Runs and unpickles nothing."""
    if MANIFEST not in files:
        raise BundleError(f"The bundle has no {MANIFEST}")
    manifest = _manifest(files[MANIFEST])
    _check_names(files.keys() - {MANIFEST}, manifest.engine)
    _check_files(manifest, {name: _Found(len(files[name]), digest(files[name])) for name in manifest.files})
    return manifest


def load(files: Mapping[str, bytes]) -> Bundle:
    """Verifies, then loads feature code, model and golden rows from the very bytes that were verified."""
    manifest = verify(files)
    with tempfile.TemporaryDirectory(prefix="nightjar-bundle-") as folder:
        path = Path(folder) / _model_file(manifest.engine)
        path.write_bytes(files[path.name])
        return _load(manifest, path, files)


def load_packed(data: bytes, expected_digest: str) -> Bundle:
    """Loads a bundle that must have this digest: checked before a single byte of it is unpacked."""
    _check_digest(digest(data), expected_digest)
    return load(unpack(data))


def open_packed(path: Path, expected_digest: str, folder: Path) -> Bundle:
    """Loads a packed bundle for service, through files below ``folder``, which must be the caller's own and may go afterwards.

    Holds little more than the loaded model in memory, and reads no further than the engine needs: where there is a fast form,
    ``model.joblib`` is neither unpickled nor unpacked. The digest is checked before a single byte is unpacked.
    """
    with path.open("rb") as packed:
        _check_digest(hashlib.file_digest(packed, "sha256").hexdigest(), expected_digest)
        packed.seek(0)
        place = Path(tempfile.mkdtemp(prefix="bundle-", dir=folder))
        try:
            manifest, found = _extract(archive.members(packed, MAX_UNPACKED_BYTES), place)
        except OSError as error:
            raise BundleError(f"The bundle cannot be unpacked into {folder}: {error}") from error
    _check_files(manifest, found)
    model = place / _model_file(manifest.engine)
    return _load(manifest, model, {name: (place / name).read_bytes() for name in found if name != model.name})


def _extract(members: Iterable[tuple[str, Iterator[bytes]]], folder: Path) -> tuple[Manifest, dict[str, _Found]]:
    """Writes what the engine needs into ``folder``: the manifest, and the files that were written, not yet checked."""
    manifest: Manifest | None = None
    needed = {*FILES, *FAST_FORMS.values()}
    found: dict[str, _Found] = {}
    for name, pieces in members:
        if name == MANIFEST:
            manifest = _manifest(b"".join(pieces))
            needed = {*FILES, _model_file(manifest.engine)} - ({MODEL} if manifest.engine in FAST_FORMS else set())
        elif name in needed:
            found[name] = _write(folder / name, pieces)
        if manifest is not None and (odd := {name, *found} - {*manifest.files, MANIFEST}):
            raise BundleError(f"The bundle holds {', '.join(sorted(odd))}, which its {MANIFEST} does not name")
        if manifest is not None and needed <= found.keys():
            return manifest, {name: found[name] for name in needed}
    if manifest is None:
        raise BundleError(f"The bundle has no {MANIFEST}")
    raise BundleError(f"The bundle lacks {', '.join(sorted(needed - found.keys()))}")


def _write(path: Path, pieces: Iterator[bytes]) -> _Found:
    sha256, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for piece in pieces:
            file.write(piece)
            sha256.update(piece)
            size += len(piece)
    return _Found(size, sha256.hexdigest())


def _manifest(data: bytes) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise BundleError(f"{MANIFEST}: {'.'.join(map(str, first['loc'])) or 'document'}: {first['msg']}") from None
    _check_names(manifest.files, manifest.engine)
    if manifest.engine in FAST_FORMS and (
        manifest.inputs is None or manifest.inputs.features != len(manifest.features)
    ):
        raise BundleError(
            f"{MANIFEST} does not say which inputs the engine {manifest.engine} takes, or not of all features"
        )
    if manifest.feature_code_hash != manifest.files[FEATURES].sha256:
        raise BundleError(f"{FEATURES} is not the code of feature_code_hash {manifest.feature_code_hash}")
    return manifest


def _model_file(engine: Engine) -> str:
    """The file that the engine reads."""
    return FAST_FORMS.get(engine, MODEL)


def _check_digest(actual: str, expected: str) -> None:
    if actual != expected:
        raise BundleError(f"The bundle's sha256 is {actual}, but {expected} was asked for; nothing was loaded")


def _check_names(names: Iterable[str], engine: Engine) -> None:
    expected = sorted({*FILES, _model_file(engine)})
    if sorted(names) != expected:
        raise BundleError(
            f"A bundle for {engine} must hold exactly {', '.join(expected)}, in the archive and in {MANIFEST}; "
            f"given were {', '.join(sorted(names))}"
        )


def _check_files(manifest: Manifest, found: Mapping[str, _Found]) -> None:
    for name, (size, sha256) in found.items():
        entry = manifest.files[name]
        if size != entry.bytes:
            raise BundleError(f"{name} is not the file that {MANIFEST} describes ({size} bytes, not {entry.bytes})")
        if sha256 != entry.sha256:
            raise BundleError(f"{name} is not the file that {MANIFEST} describes (sha256 {sha256}, not {entry.sha256})")


def _load(manifest: Manifest, model_file: Path, files: Mapping[str, bytes]) -> Bundle:
    """From verified files only."""
    try:
        code = load_feature_code(files[FEATURES])
    except FeatureCodeError as error:
        raise BundleError(f"{FEATURES} of the bundle cannot be loaded: {error}") from error
    if list(code.kinds.items()) != list(manifest.features.items()):
        raise BundleError(f"FEATURES in {FEATURES} are not the features of {MANIFEST}, in its order")
    try:
        model = loading.load(manifest.engine, model_file, manifest.inputs)
    except Exception as error:
        verb = "unpickled" if model_file.name == MODEL else "loaded"
        raise BundleError(f"{model_file.name} cannot be {verb}: {type(error).__name__}: {error}") from error
    scorer = Scorer(code.features, manifest.features, manifest.categories, model, manifest.threshold)
    return Bundle(manifest, model, scorer, golden_rows(files[GOLDEN]), files[TRAINING_KEYS])


def golden_rows(data: bytes) -> list[GoldenRow]:
    """The rows of ``golden.jsonl``."""
    try:
        rows = [GoldenRow.model_validate_json(line) for line in data.splitlines()]
    except ValidationError as error:
        raise BundleError(f"{GOLDEN} is wrong: {error.errors()[0]['msg']}") from None
    if len(rows) < MINIMUM_GOLDEN_ROWS:
        raise BundleError(
            f"{GOLDEN} holds {len(rows)} rows; at least {MINIMUM_GOLDEN_ROWS} are needed to prove a bundle"
        )
    return rows
