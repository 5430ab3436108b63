"""``manifest.json`` of a bundle: what the model is, and the size and sha256 of every other file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from include.model.bundle.archive import sha256_hex
from include.model.engines import FAST_FORMS, Engine, Parity
from include.model.engines.inputs import InputSpec
from include.model.errors import BundleError
from include.model.files import BASELINE, FEATURES, FILES, MANIFEST, MODEL
from include.workloads import FieldSpec
from include.workloads.request_rules import RequestRule


class FileEntry(BaseModel):
    """Size in bytes and sha256 of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Manifest(BaseModel):
    """``manifest.json``.

    Attributes:
        format: Version of this document's format.
        cutoff: Cut-off of the data set, ISO 8601 UTC.
        features: Kind of each feature, in the order of the model's columns.
        categories: Values of each category feature. The position of a value is its code.
        request: Schema of the request record.
        request_rules: Which of its optional fields belong together.
        request_features: The features, if a request may give them in place of the record.
        threshold: Probability from which the prediction is 1.
        files: Every file but the manifest itself.
        engine: The engine that scores.
        inputs: What the reference accepts; a fast form does not check it. Absent when the engine is scikit-learn.
        parity: Result of the parity gate for each engine that was tried. Empty in bundles older than the fast forms.
        model: Kind, seed and hyperparameters; of a kind that can use a GPU also the device that trained it.
        libraries: Versions of Python and the libraries that trained the model.
        metrics: Metrics on the validation split.
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
    request_rules: tuple[RequestRule, ...] = ()
    request_features: dict[str, FieldSpec] = Field(default_factory=dict)
    threshold: float = Field(gt=0, lt=1)
    files: dict[str, FileEntry]
    engine: Engine
    inputs: InputSpec | None = None
    parity: tuple[Parity, ...] = ()
    model: dict[str, Any]
    libraries: dict[str, str]
    metrics: dict[str, float]


def file_entry(data: bytes) -> FileEntry:
    """Describes a file with this content."""
    return FileEntry(sha256=sha256_hex(data), bytes=len(data))


def parse_manifest(data: bytes) -> Manifest:
    """Parses ``manifest.json`` and checks that its parts agree.

    Raises:
        BundleError: A field is missing or wrong, or two parts contradict each other.
    """
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise BundleError(f"{MANIFEST}: {'.'.join(map(str, first['loc'])) or 'document'}: {first['msg']}") from None
    check_names(manifest.files, manifest.engine)
    if manifest.engine in FAST_FORMS and (
        manifest.inputs is None or manifest.inputs.features != len(manifest.features)
    ):
        raise BundleError(
            f"{MANIFEST}: inputs must describe each of the {len(manifest.features)} features, because the engine "
            f"{manifest.engine} does not check them"
        )
    if manifest.feature_code_hash != manifest.files[FEATURES].sha256:
        raise BundleError(
            f"{MANIFEST}: feature_code_hash is {manifest.feature_code_hash}, but {FEATURES} has the sha256 "
            f"{manifest.files[FEATURES].sha256}"
        )
    return manifest


def model_file(engine: Engine) -> str:
    """Returns the name of the file that an engine reads."""
    return FAST_FORMS.get(engine, MODEL)


def check_names(names: Iterable[str], engine: Engine) -> None:
    """Checks that a bundle for ``engine`` has exactly its files, and at most the baseline beside them.

    ``names`` are without the manifest.

    Raises:
        BundleError: A file is missing, or there is one too many.
    """
    expected, actual = sorted({*FILES, model_file(engine)}), sorted({*names} - {BASELINE})
    if actual != expected:
        raise BundleError(
            f"A bundle for {engine} must contain exactly {', '.join(expected)}, in the archive and in {MANIFEST}; "
            f"this one contains {', '.join(actual)}"
        )


def check_files(manifest: Manifest, files: Mapping[str, FileEntry]) -> None:
    """Compares files with the manifest, which must name them all.

    Raises:
        BundleError: A file has another size or sha256 than the manifest says.
    """
    for name, actual in files.items():
        expected = manifest.files[name]
        if actual.bytes != expected.bytes:
            reason = f"{actual.bytes} bytes, not {expected.bytes}"
        elif actual.sha256 != expected.sha256:
            reason = f"sha256 {actual.sha256}, not {expected.sha256}"
        else:
            continue
        raise BundleError(f"{name} is not the file that {MANIFEST} describes ({reason}): the bundle was altered")
