from __future__ import annotations

import io
import os
import random
import tarfile
from pathlib import Path

import pytest

from include.model import bundle
from include.model.bundle import BundleError
from tests.support.bundles import dump, seal_text, tar_gz, text_files


class Creates:
    """Unpickling one creates a file: what an attacker's model would do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


def _link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_a_bundle_survives_packing():
    packed = bundle.pack(text_files())
    loaded = bundle.load_packed(packed, bundle.digest(packed))
    assert loaded.manifest.workload == "texts"
    assert len(loaded.golden) >= bundle.MINIMUM_GOLDEN_ROWS
    row = loaded.golden[0]
    assert loaded.scorer.probabilities([row.request])[0] == pytest.approx(row.probability, abs=1e-12)


def test_packing_depends_on_contents_only():
    files = text_files()
    names = list(files)
    random.Random(1).shuffle(names)
    assert bundle.pack({name: files[name] for name in names}) == bundle.pack(files)


def test_unpacks_what_sagemaker_packs(tmp_path):
    files = text_files()
    bundle.write_folder(files, tmp_path / "model")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(tmp_path / "model", arcname=".")
    assert bundle.unpack(buffer.getvalue()) == files
    assert bundle.read_folder(tmp_path / "model") == files


def test_a_wrong_digest_loads_nothing(tmp_path):
    trap = tmp_path / "trap"
    packed = bundle.pack(text_files(Creates(trap)))
    with pytest.raises(BundleError, match=r"was asked for; nothing was loaded"):
        bundle.load_packed(packed, "0" * 64)
    assert not trap.exists()


def test_a_tampered_model_is_never_unpickled(tmp_path):
    trap = tmp_path / "trap"
    files = text_files() | {bundle.MODEL: dump(Creates(trap))}
    with pytest.raises(BundleError, match=r"model\.joblib is not the file that manifest\.json describes"):
        bundle.load(files)
    assert not trap.exists()


def test_the_trap_is_real(tmp_path):
    trap = tmp_path / "trap"
    bundle.load(text_files(Creates(trap)))
    assert trap.exists()


def test_tampered_feature_code_is_never_run(tmp_path):
    trap = tmp_path / "trap"
    code = f"import os\nos.mkdir({str(trap)!r})\n".encode()
    with pytest.raises(BundleError, match=r"features\.py is not the file"):
        bundle.load(text_files() | {bundle.FEATURES: code})
    assert not trap.exists()


def test_feature_code_must_be_that_of_the_manifest():
    with pytest.raises(BundleError, match="feature_code_hash"):
        bundle.load(text_files(feature_code_hash="0" * 64))


def test_features_must_be_in_the_models_order():
    with pytest.raises(BundleError, match="in its order"):
        bundle.load(text_files(features={"num_keywords": "number", "text_length": "number"}))


def test_a_model_that_cannot_be_unpickled():
    with pytest.raises(BundleError, match=r"model\.joblib cannot be unpickled"):
        bundle.load(seal_text(b"no pickle", text_files()[bundle.GOLDEN]))


def test_too_few_golden_rows():
    files = text_files()
    few = b"".join(files[bundle.GOLDEN].splitlines(keepends=True)[:3])
    with pytest.raises(BundleError, match="3 rows; at least 20"):
        bundle.load(seal_text(files[bundle.MODEL], few))


@pytest.mark.parametrize("name", [*bundle.FILES, bundle.MANIFEST])
def test_a_missing_file(name):
    files = text_files()
    del files[name]
    with pytest.raises(BundleError, match=r"must hold exactly|has no manifest"):
        bundle.verify(files)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"../evil": b"x"}, "leads out"),
        ({"/etc/evil": b"x"}, "leads out"),
        ({"a/b": b"x"}, "leads out"),
        ({".hidden": b"x"}, "leads out"),
        ({"./../evil": b"x"}, "leads out"),
        ({"link": _link("link", "/etc/passwd", tarfile.SYMTYPE)}, "not a regular file"),
        ({"hard": _link("hard", "model.joblib", tarfile.LNKTYPE)}, "not a regular file"),
        ({"pipe": _link("pipe", "", tarfile.FIFOTYPE)}, "not a regular file"),
        ({"folder": _link("folder", "", tarfile.DIRTYPE)}, "not a regular file"),
        ({"a": b"1", "./a": b"2"}, "twice"),
    ],
)
def test_an_unsafe_archive(members, reason):
    with pytest.raises(BundleError, match=reason):
        bundle.unpack(tar_gz(members))


def test_a_bomb():
    with pytest.raises(BundleError, match="more than 100000 bytes"):
        bundle.unpack(tar_gz({"zeros": bytes(1_000_000)}), max_bytes=100_000)


@pytest.mark.parametrize("data", [b"", b"no gzip", bundle.pack({"a": b"1"})[:-12], bundle.pack({"a": b"1" * 999})[:60]])
def test_a_damaged_archive(data):
    with pytest.raises(BundleError, match="no readable"):
        bundle.unpack(data)
