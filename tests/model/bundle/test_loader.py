"""The bundle as the service opens it: streamed into files, with the engine that its manifest names."""

from __future__ import annotations

import functools
import gzip
import io
import json
import pickle
import random
import tarfile
from pathlib import Path

import pytest

from include.model import bundle
from include.model.archive import write
from include.model.bundle import BundleError
from tests.support.bundles import seal_text, tar_gz, text_files
from tests.support.fast_bundles import fast_text_files

ENGINES = {"onnxruntime": "model.onnx", "treelite": "model.treelite"}
ROW = {"text_length": 120, "num_keywords": 3}


@functools.cache
def _files(engine: str) -> dict[str, bytes]:
    return text_files() if engine == "scikit-learn" else fast_text_files(engine)


def _open(packed: bytes, folder: Path, digest: str | None = None) -> bundle.Bundle:
    path = folder / "bundle.tar.gz"
    path.write_bytes(packed)
    return bundle.open_packed(path, digest or bundle.digest(packed), folder)


def _manifest(files: dict[str, bytes], **changes: object) -> dict[str, bytes]:
    document = json.loads(files[bundle.MANIFEST]) | changes
    return {**files, bundle.MANIFEST: json.dumps({k: v for k, v in document.items() if v is not None}).encode()}


@pytest.mark.parametrize("engine", [*ENGINES, "scikit-learn"])
def test_both_ways_load_the_engine_that_the_manifest_names(engine, tmp_path):
    packed = bundle.pack(_files(engine))
    streamed, in_memory = _open(packed, tmp_path), bundle.load_packed(packed, bundle.digest(packed))
    for loaded in (streamed, in_memory):
        assert loaded.model.name == loaded.manifest.engine == engine
        for row in loaded.golden:
            assert loaded.scorer.probabilities([row.request])[0] == pytest.approx(row.probability, abs=1e-12)
            assert loaded.model.one(loaded.scorer.row(row.request)) == pytest.approx(row.probability, abs=1e-12)
    assert streamed.training_keys == in_memory.training_keys and streamed.golden == in_memory.golden
    assert [parity.passed for parity in streamed.manifest.parity] == ([True] if engine in ENGINES else [])


@pytest.mark.parametrize("engine", ENGINES)
def test_the_pickle_of_a_bundle_with_a_fast_form_is_neither_unpacked_nor_unpickled(engine, tmp_path):
    files = {name: data for name, data in _files(engine).items() if name != bundle.MANIFEST}
    fields = json.loads(_files(engine)[bundle.MANIFEST])
    fields = {name: value for name, value in fields.items() if name not in ("format", "files", "engine")}
    files = bundle.seal({**files, bundle.MODEL: b"no pickle"}, **fields)
    packed = bundle.pack(files)
    assert _open(packed, tmp_path).model.name == engine
    assert not list(tmp_path.rglob(bundle.MODEL)) and list(tmp_path.rglob(ENGINES[engine]))
    # Another packer's order: the pickle comes first, and is passed over or written, but not read.
    turned = write(files, sorted(files, reverse=True))
    assert _open(turned, tmp_path).model.name == engine


def test_the_manifest_is_first_and_the_pickle_last():
    with tarfile.open(fileobj=io.BytesIO(bundle.pack(_files("onnxruntime")))) as archive:
        names = archive.getnames()
    assert names[0] == bundle.MANIFEST and names[-1] == bundle.MODEL and len(names) == 6


def test_a_bundle_from_before_the_fast_forms_still_loads(tmp_path):
    files = text_files()
    document = json.loads(files[bundle.MANIFEST])
    assert document["engine"] == "scikit-learn" and not {"inputs", "parity"} & document.keys()
    loaded = _open(write(files, sorted(files)), tmp_path)
    assert loaded.model.name == "scikit-learn" and loaded.manifest.parity == ()
    assert loaded.scorer.probabilities([ROW]).shape == (1,)


@pytest.mark.parametrize("engine", [*ENGINES, "scikit-learn"])
def test_a_file_that_was_tampered_with(engine, tmp_path):
    files = _files(engine)
    for name in sorted(files.keys() - {bundle.MANIFEST}):
        for changed, reason in (
            (files[name][:-1] + bytes([files[name][-1] ^ 1]), "sha256"),
            (files[name] + b"\0", "bytes, not"),
        ):
            packed = bundle.pack({**files, name: changed})
            with pytest.raises(BundleError, match=rf"{name} is not the file that manifest\.json describes.*{reason}"):
                bundle.load_packed(packed, bundle.digest(packed))
            if name == bundle.MODEL and engine in ENGINES:
                continue
            with pytest.raises(BundleError, match=rf"{name} is not the file that manifest\.json describes.*{reason}"):
                _open(packed, tmp_path)


def _without(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {kept: data for kept, data in files.items() if kept != name}


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
        (lambda: _manifest(_files("onnxruntime"), engine="scikit-learn"), r"given were .*model\.onnx"),
        (lambda: _manifest(_files("scikit-learn"), engine="onnxruntime"), r"must hold exactly .*model\.onnx"),
        (lambda: _manifest(_files("onnxruntime"), engine="tensorflow"), r"manifest\.json: engine"),
        (lambda: _manifest(_files("onnxruntime"), inputs=None), "does not say which inputs"),
        (
            lambda: _manifest(_files("onnxruntime"), inputs={"dtype": "float32", "finite": [True], "missing": True}),
            "not of all features",
        ),
        (lambda: {**_files("onnxruntime"), bundle.MANIFEST: b"\xff"}, r"manifest\.json: document"),
        (lambda: {**_files("onnxruntime"), bundle.MANIFEST: b""}, r"manifest\.json: document"),
    ],
)
def test_a_bundle_that_is_not_what_its_manifest_says(files, reason, tmp_path):
    packed = bundle.pack(files())
    with pytest.raises(BundleError, match=reason):
        bundle.load_packed(packed, bundle.digest(packed))
    with pytest.raises(BundleError, match=reason):
        _open(packed, tmp_path)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fast_form_that_its_engine_cannot_read(engine, tmp_path):
    files = text_files()
    inputs = {"dtype": "float64", "finite": [True, True], "missing": True}
    broken = seal_text(files[bundle.MODEL], files[bundle.GOLDEN], {ENGINES[engine]: b"no model"}, inputs=inputs)
    packed = bundle.pack(broken)
    for load in (lambda: bundle.load(broken), lambda: _open(packed, tmp_path)):
        with pytest.raises(BundleError, match=f"{ENGINES[engine]} cannot be loaded"):
            load()


def test_two_fast_forms_cannot_be_sealed():
    files = text_files()
    with pytest.raises(BundleError, match="must hold exactly"):
        seal_text(files[bundle.MODEL], files[bundle.GOLDEN], {"model.onnx": b"", "model.treelite": b""})


def test_nothing_is_unpacked_before_the_digest_is_right(tmp_path):
    with pytest.raises(BundleError, match="was asked for; nothing was loaded"):
        _open(bundle.pack(text_files()), tmp_path, "0" * 64)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.tar.gz"]


def _link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def _sparse(size: int) -> bytes:
    """A GNU sparse file that claims a size of which the archive holds nothing."""
    info = tarfile.TarInfo("features.py")
    info.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[386:410] = b"%011o\0%011o\0" % (size, 0)
    block[483:495] = b"%011o\0" % size
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return gzip.compress(bytes(block) + bytes(1024))


def _not_a_number() -> bytes:
    """A header that makes Python's tar reader raise ValueError."""
    info = tarfile.TarInfo("features.py")
    info.pax_headers = {"GNU.sparse.map": "a,b"}
    return gzip.compress(info.tobuf(tarfile.PAX_FORMAT) + bytes(1024))


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (lambda: tar_gz({"features.py": _link("features.py", "/etc/passwd", tarfile.SYMTYPE)}), "not a regular file"),
        (lambda: tar_gz({"features.py": _link("features.py", "golden.jsonl", tarfile.LNKTYPE)}), "not a regular file"),
        (lambda: _sparse(5_000_000), "not a regular file"),
        (lambda: tar_gz({"../features.py": b""}), "leads out"),
        (lambda: tar_gz({"features.py": b"1", "./features.py": b"2"}), "twice"),
        (lambda: bundle.pack(text_files())[:-200], "no readable"),
        (lambda: bundle.pack(text_files())[:30], "no readable"),
        (lambda: gzip.compress(b"no tar" * 500), "no readable tar"),
        (_not_a_number, "no readable tar"),
        (lambda: b"", "no readable"),
    ],
)
def test_an_unsafe_or_damaged_archive(packed, reason, tmp_path):
    data = packed()
    for load in (lambda: bundle.unpack(data), lambda: _open(data, tmp_path)):
        with pytest.raises(BundleError, match=reason):
            load()


def test_a_wrong_check_sum_at_the_end():
    packed = bytearray(bundle.pack(text_files()))
    packed[-8] ^= 1
    with pytest.raises(BundleError, match="no readable gzip: CRC"):
        bundle.unpack(bytes(packed))


def test_a_bomb_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "MAX_UNPACKED_BYTES", 100_000)
    with pytest.raises(BundleError, match="more than 100000 bytes"):
        _open(tar_gz({"features.py": bytes(1_000_000)}), tmp_path)


def test_a_disk_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    def full(path, pieces):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle, "_write", full)
    with pytest.raises(BundleError, match=r"cannot be unpacked into .*No space left"):
        _open(bundle.pack(text_files()), tmp_path)


def test_no_archive_whatever_crashes_the_reader():
    """Bits turned over in headers and contents: it is read, or it is refused with a reason."""
    rng = random.Random(5)
    raw = gzip.decompress(bundle.pack({"a": b"1" * 700, "b": pickle.dumps(1)}))
    refused = 0
    for _ in range(300):
        changed = bytearray(raw)
        for _ in range(rng.randint(1, 8)):
            changed[rng.randrange(1600)] = rng.randrange(256)
        try:
            bundle.unpack(gzip.compress(bytes(changed), compresslevel=1))
        except BundleError:
            refused += 1
    assert refused > 100
