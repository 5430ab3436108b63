"""Loading a bundle, in memory (training, evaluation) and streamed into files (the service)."""

from __future__ import annotations

import functools
import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from include.model import bundle
from include.model.bundle import BundleError
from include.model.bundle.archive import write
from include.model.engines import Engine
from include.model.golden import MINIMUM_GOLDEN_ROWS
from tests.support.bundles import Creates, dump, open_bundle, seal_text, text_files
from tests.support.compiled import COMPILED
from tests.support.fast_bundles import fast_text_files

FAST: dict[Engine, str] = {"onnxruntime": "model.onnx", "treelite": "model.treelite"}
if COMPILED:
    FAST["native"] = "model.native"
ROW = {"text_length": 120, "num_keywords": 3}


@functools.cache
def _files(engine: Engine) -> dict[str, bytes]:
    return text_files() if engine == "scikit-learn" else fast_text_files(engine)


def _changed_manifest(files: dict[str, bytes], **changes: object) -> dict[str, bytes]:
    document = json.loads(files[bundle.MANIFEST]) | changes
    return {**files, bundle.MANIFEST: json.dumps({k: v for k, v in document.items() if v is not None}).encode()}


def _without(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {kept: data for kept, data in files.items() if kept != name}


def _both(packed: bytes, folder: Path) -> tuple[Callable[[], bundle.Bundle], ...]:
    return lambda: bundle.load(bundle.unpack(packed)), lambda: open_bundle(packed, folder)


@pytest.mark.parametrize("engine", [*FAST, "scikit-learn"])
def test_both_ways_load_the_engine_that_the_manifest_names(engine, tmp_path):
    in_memory, streamed = (load() for load in _both(bundle.pack(_files(engine)), tmp_path))
    for loaded in (streamed, in_memory):
        assert loaded.manifest.workload == "texts" and len(loaded.golden) >= MINIMUM_GOLDEN_ROWS
        assert loaded.model.name == loaded.manifest.engine == engine
        for row in loaded.golden:
            assert loaded.scorer.probabilities([row.request])[0] == pytest.approx(row.probability, abs=1e-12)
            assert loaded.model.one(loaded.scorer.row(row.request)) == pytest.approx(row.probability, abs=1e-12)
    assert streamed.training_keys == in_memory.training_keys and streamed.golden == in_memory.golden
    assert [parity.passed for parity in streamed.manifest.parity] == ([True] if engine in FAST else [])


@pytest.mark.parametrize("engine", FAST)
def test_with_a_fast_form_the_pickle_is_neither_unpacked_nor_unpickled(engine, tmp_path):
    files = {name: data for name, data in _files(engine).items() if name != bundle.MANIFEST}
    fields = json.loads(_files(engine)[bundle.MANIFEST])
    fields = {name: value for name, value in fields.items() if name not in ("format", "files", "engine")}
    files = bundle.seal({**files, bundle.MODEL: b"no pickle"}, **fields)
    packed = bundle.pack(files)
    assert open_bundle(packed, tmp_path).model.name == engine
    assert not list(tmp_path.rglob(bundle.MODEL)) and list(tmp_path.rglob(FAST[engine]))
    # In another packer's order the pickle comes first. It is then skipped or written to a file, but not unpickled.
    reversed_order = write(files, sorted(files, reverse=True))
    assert open_bundle(reversed_order, tmp_path).model.name == engine


def test_a_bundle_older_than_the_fast_forms_still_loads(tmp_path):
    files = text_files()
    document = json.loads(files[bundle.MANIFEST])
    assert document["engine"] == "scikit-learn" and not {"inputs", "parity"} & document.keys()
    loaded = open_bundle(write(files, sorted(files)), tmp_path)
    assert loaded.model.name == "scikit-learn" and loaded.manifest.parity == ()
    assert loaded.scorer.probabilities([ROW]).shape == (1,)


def test_nothing_is_unpacked_or_run_when_the_digest_is_wrong(tmp_path):
    trap = tmp_path / "trap"
    packed = bundle.pack(text_files(Creates(trap)))
    with pytest.raises(BundleError, match="was requested; nothing was loaded"):
        open_bundle(packed, tmp_path, "0" * 64)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.tar.gz"]


def test_an_altered_model_is_never_unpickled(tmp_path):
    trap = tmp_path / "trap"
    packed = bundle.pack(text_files() | {bundle.MODEL: dump(Creates(trap))})
    for load in _both(packed, tmp_path):
        with pytest.raises(BundleError, match=r"model\.joblib is not the file that manifest\.json describes"):
            load()
    assert not trap.exists()


def test_the_trap_of_the_tests_above_works(tmp_path):
    trap = tmp_path / "trap"
    bundle.load(text_files(Creates(trap)))
    assert trap.exists()


def test_altered_feature_code_is_never_run(tmp_path):
    trap = tmp_path / "trap"
    code = f"import os\nos.mkdir({str(trap)!r})\n".encode()
    packed = bundle.pack(text_files() | {bundle.FEATURES: code})
    for load in _both(packed, tmp_path):
        with pytest.raises(BundleError, match=r"features\.py is not the file"):
            load()
    assert not trap.exists()


@pytest.mark.parametrize("engine", [*FAST, "scikit-learn"])
def test_an_altered_file(engine, tmp_path):
    files = _files(engine)
    for name in sorted(files.keys() - {bundle.MANIFEST}):
        for changed, reason in (
            (files[name][:-1] + bytes([files[name][-1] ^ 1]), "sha256"),
            (files[name] + b"\0", "bytes, not"),
        ):
            in_memory, streamed = _both(bundle.pack({**files, name: changed}), tmp_path)
            # With a fast form, the service does not read the pickle.
            read_by = [in_memory] if name == bundle.MODEL and engine in FAST else [in_memory, streamed]
            for load in read_by:
                with pytest.raises(
                    BundleError, match=rf"{name} is not the file that manifest\.json describes.*{reason}"
                ):
                    load()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (lambda: _without(_files("onnxruntime"), "model.onnx"), r"model\.onnx"),
        (lambda: _without(_files("treelite"), "model.treelite"), r"model\.treelite"),
        (lambda: _without(_files("treelite"), bundle.GOLDEN), r"golden\.jsonl"),
        (lambda: _without(_files("scikit-learn"), bundle.MODEL), r"model\.joblib"),
        (lambda: _without(_files("onnxruntime"), bundle.MANIFEST), r"has no manifest\.json"),
        (lambda: {**_files("scikit-learn"), "model.onnx": b"graph"}, r"model\.onnx"),
        (lambda: {**_files("treelite"), "model.onnx": b"graph"}, r"model\.onnx"),
        (lambda: {**_files("onnxruntime"), "a.txt": b"more"}, r"a\.txt"),
        (lambda: _changed_manifest(_files("onnxruntime"), engine="scikit-learn"), r"this one contains .*model\.onnx"),
        (
            lambda: _changed_manifest(_files("scikit-learn"), engine="onnxruntime"),
            r"must contain exactly .*model\.onnx",
        ),
        (lambda: _changed_manifest(_files("onnxruntime"), engine="tensorflow"), r"manifest\.json: engine"),
        (lambda: _changed_manifest(_files("onnxruntime"), inputs=None), "inputs must describe each of the 2 features"),
        (
            lambda: _changed_manifest(
                _files("onnxruntime"), inputs={"dtype": "float32", "finite": [True], "missing": True}
            ),
            "inputs must describe each of the 2 features",
        ),
        (lambda: {**_files("onnxruntime"), bundle.MANIFEST: b"\xff"}, r"manifest\.json: document"),
        (lambda: {**_files("onnxruntime"), bundle.MANIFEST: b""}, r"manifest\.json: document"),
        (lambda: text_files(feature_code_hash="0" * 64), "feature_code_hash is 000"),
        (lambda: text_files(features={"num_keywords": "number", "text_length": "number"}), "in the same order"),
        (lambda: seal_text(b"no pickle", text_files()[bundle.GOLDEN]), r"model\.joblib cannot be unpickled"),
        (
            lambda: seal_text(text_files()[bundle.MODEL], text_files()[bundle.GOLDEN].split(b"\n", 1)[0]),
            "1 rows; at least 20",
        ),
        (lambda: seal_text(text_files()[bundle.MODEL], b"{}\n" * 20), r"golden\.jsonl is wrong"),
    ],
)
def test_a_bundle_that_contradicts_itself(files, reason, tmp_path):
    for load in _both(bundle.pack(files()), tmp_path):
        with pytest.raises(BundleError, match=reason):
            load()


@pytest.mark.parametrize(
    ("code", "reason"),
    [(b"FEATURES = {}", ".*must be a function"), (b"1 / 0", ".*ZeroDivisionError"), (b"\xff", "is not Python")],
)
def test_feature_code_that_cannot_be_loaded(code, reason, tmp_path):
    files = {name: data for name, data in text_files().items() if name != bundle.MANIFEST} | {bundle.FEATURES: code}
    fields = json.loads(text_files()[bundle.MANIFEST]) | {"feature_code_hash": bundle.sha256_hex(code)}
    for name in ("format", "files", "engine"):
        del fields[name]
    for load in _both(bundle.pack(bundle.seal(files, **fields)), tmp_path):
        with pytest.raises(BundleError, match=rf"features\.py of the bundle cannot be loaded: {reason}"):
            load()


@pytest.mark.parametrize("engine", FAST)
def test_a_fast_form_that_its_engine_cannot_read(engine, tmp_path):
    files = text_files()
    inputs = {"dtype": "float64", "finite": [True, True], "missing": True}
    broken = seal_text(files[bundle.MODEL], files[bundle.GOLDEN], {FAST[engine]: b"no model"}, inputs=inputs)
    for load in _both(bundle.pack(broken), tmp_path):
        with pytest.raises(BundleError, match=f"{FAST[engine]} cannot be loaded"):
            load()


def test_a_full_disk_is_reported(tmp_path):
    packed = bundle.pack(text_files())
    path = tmp_path / "bundle.tar.gz"
    path.write_bytes(packed)
    with _largest_file(100), pytest.raises(BundleError, match=r"cannot be unpacked into .*File too large"):
        bundle.open_packed(path, bundle.sha256_hex(packed), tmp_path)


@contextmanager
def _largest_file(size: int) -> Iterator[None]:
    """The kernel refuses to write beyond ``size`` bytes of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
