"""The bundle: everything that scores a request, in one deterministic ``tar.gz`` whose sha256 is its name.

A bundle is a flat set of files: ``manifest.json`` (vouches for each other file by sha256), ``model.joblib``, ``features.py``
(the workload's feature code as it was when the model was trained, so that an old model is always scored by its own
features), ``golden.jsonl`` and ``training_keys.bin``. It is handled in memory, as ``{name: bytes}``: nothing is written to a
path that an archive chose. Order of trust: digest of the archive, then the manifest, then each file's digest; only then is
code run (``features.py``) or unpickled (``model.joblib``).

Errors: :class:`BundleError`, whose text says which check failed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import types
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import joblib
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from include.training.golden import GoldenRow
from include.training.request import RequestSchema
from include.training.score import Scorer
from include.workloads import FieldSpec

MANIFEST = "manifest.json"
MODEL = "model.joblib"
FEATURES = "features.py"
GOLDEN = "golden.jsonl"
TRAINING_KEYS = "training_keys.bin"
FILES = (FEATURES, GOLDEN, MODEL, TRAINING_KEYS)
MINIMUM_GOLDEN_ROWS = 20
MAX_UNPACKED_BYTES = 1 << 30
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


class BundleError(ValueError):
    """A bundle is damaged, was altered, or is not a bundle; nothing of it has been run."""


class FileEntry(BaseModel):
    """What the manifest says of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Manifest(BaseModel):
    """``manifest.json``. ``categories`` holds each category feature's values; a value's place is its code."""

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
    engine: Literal["scikit-learn"]
    model: dict[str, Any]
    libraries: dict[str, str]
    metrics: dict[str, float]


class Bundle:
    """A verified and loaded bundle: ``manifest``, request ``schema``, ``scorer``, ``golden`` and the ``training_keys`` bytes."""

    def __init__(self, manifest: Manifest, scorer: Scorer, golden: list[GoldenRow], training_keys: bytes) -> None:
        self.manifest = manifest
        self.schema = RequestSchema(manifest.request)
        self.scorer = scorer
        self.golden = golden
        self.training_keys = training_keys


def digest(data: bytes) -> str:
    """Lower-case hexadecimal sha256."""
    return hashlib.sha256(data).hexdigest()


def seal(files: Mapping[str, bytes], **fields: Any) -> dict[str, bytes]:
    """Adds the manifest to ``files``. ``fields`` are the manifest's, without ``format``, ``files`` and ``engine``."""
    if set(files) != set(FILES):
        raise BundleError(f"A bundle is made of {', '.join(FILES)}; given were {', '.join(sorted(files))}")
    entries = {name: FileEntry(sha256=digest(files[name]), bytes=len(files[name])) for name in FILES}
    manifest = Manifest(format=1, engine="scikit-learn", files=entries, **fields)
    # Not sorted: the order of the features is the order of the model's columns.
    text = json.dumps(manifest.model_dump(mode="json", exclude_defaults=True), indent=1, allow_nan=False)
    return {**files, MANIFEST: text.encode() + b"\n"}


def read_folder(folder: Path) -> dict[str, bytes]:
    """The files of an unpacked bundle."""
    missing = [name for name in (MANIFEST, *FILES) if not (folder / name).is_file()]
    if missing:
        raise BundleError(f"{folder} is no bundle: it lacks {', '.join(missing)}")
    return {name: (folder / name).read_bytes() for name in (MANIFEST, *FILES)}


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Writes the files of a bundle, as SageMaker packs them from the model folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def pack(files: Mapping[str, bytes]) -> bytes:
    """A ``tar.gz`` that depends on nothing but names and contents: sorted, no times, no owners."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(files[name]), 0o644, 0
            archive.addfile(info, io.BytesIO(files[name]))
    return gzip.compress(raw.getvalue(), compresslevel=6, mtime=0)


def unpack(data: bytes, max_bytes: int = MAX_UNPACKED_BYTES) -> dict[str, bytes]:
    """The regular files of a ``tar.gz``. Refuses links, devices, sub-folders, names that lead elsewhere, and bombs."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            raw = stream.read(max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BundleError(f"The archive is no readable gzip: {error}") from None
    if len(raw) > max_bytes:
        raise BundleError(f"The archive unpacks to more than {max_bytes} bytes")
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if member.isdir() and name in ("", "."):
                    continue
                if not member.isreg():
                    raise BundleError(f"The archive holds {member.name!r}, which is not a regular file")
                if not _NAME.fullmatch(name):
                    raise BundleError(f"The archive holds the name {member.name!r}, which leads out of the bundle")
                if name in files:
                    raise BundleError(f"The archive holds {name!r} twice")
                content = archive.extractfile(member)
                files[name] = content.read() if content else b""
    except tarfile.TarError as error:
        raise BundleError(f"The archive is no readable tar: {error}") from None
    return files


def verify(files: Mapping[str, bytes]) -> Manifest:
    """Checks the manifest and every file against it. Runs and unpickles nothing."""
    if MANIFEST not in files:
        raise BundleError(f"The bundle has no {MANIFEST}")
    try:
        manifest = Manifest.model_validate_json(files[MANIFEST])
    except ValidationError as error:
        first = error.errors()[0]
        raise BundleError(f"{MANIFEST}: {'.'.join(map(str, first['loc'])) or 'document'}: {first['msg']}") from None
    if set(manifest.files) != set(FILES) or set(files) - {MANIFEST} != set(FILES):
        raise BundleError(f"The bundle must hold exactly {', '.join(FILES)}, in the archive and in {MANIFEST}")
    for name, entry in manifest.files.items():
        if len(files[name]) != entry.bytes or digest(files[name]) != entry.sha256:
            raise BundleError(
                f"{name} is not the file that {MANIFEST} describes (sha256 {digest(files[name])}, not {entry.sha256})"
            )
    if manifest.feature_code_hash != manifest.files[FEATURES].sha256:
        raise BundleError(f"{FEATURES} is not the code of feature_code_hash {manifest.feature_code_hash}")
    return manifest


def load(files: Mapping[str, bytes]) -> Bundle:
    """Verifies, then loads feature code, model and golden rows from the very bytes that were verified."""
    manifest = verify(files)
    try:
        module = feature_module(files[FEATURES])
        kinds = dict(module.FEATURES)
        function = module.features
    except Exception as error:
        raise BundleError(f"{FEATURES} of the bundle cannot be loaded: {type(error).__name__}: {error}") from error
    if list(kinds.items()) != list(manifest.features.items()):
        raise BundleError(f"FEATURES in {FEATURES} are not the features of {MANIFEST}, in its order")
    try:
        model = joblib.load(io.BytesIO(files[MODEL]))
    except Exception as error:
        raise BundleError(f"{MODEL} cannot be unpickled: {type(error).__name__}: {error}") from error
    scorer = Scorer(function, manifest.features, manifest.categories, model, manifest.threshold)
    return Bundle(manifest, scorer, golden_rows(files[GOLDEN]), files[TRAINING_KEYS])


def load_packed(data: bytes, expected_digest: str) -> Bundle:
    """Loads a bundle that must have this digest: checked before a single byte of it is unpacked."""
    actual = digest(data)
    if actual != expected_digest:
        raise BundleError(f"The bundle's sha256 is {actual}, but {expected_digest} was asked for; nothing was loaded")
    return load(unpack(data))


def feature_module(source: bytes) -> types.ModuleType:
    """Runs feature code that the caller has verified, as a module of its own that no import can reach."""
    module = types.ModuleType("bundle_features")
    exec(compile(source, FEATURES, "exec"), module.__dict__)
    return module


def golden_rows(data: bytes) -> list[GoldenRow]:
    """The rows of ``golden.jsonl``."""
    try:
        rows = [GoldenRow.model_validate_json(line) for line in data.splitlines()]
    except ValidationError as error:
        raise BundleError(f"{GOLDEN} is wrong: {error.errors()[0]['msg']}") from None
    if len(rows) < MINIMUM_GOLDEN_ROWS:
        raise BundleError(f"{GOLDEN} holds {len(rows)} rows; at least {MINIMUM_GOLDEN_ROWS} are needed to prove a bundle")
    return rows
