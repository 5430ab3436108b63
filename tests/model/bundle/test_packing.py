from __future__ import annotations

import gzip
import io
import random
import tarfile
import zlib

import pytest

from include.model import bundle
from include.model.bundle import BundleError
from include.model.bundle.training_keys import from_bytes, to_bytes
from include.model.golden import MINIMUM_GOLDEN_ROWS
from tests.support.bundles import read_folder, seal_text, text_files
from tests.support.fast_bundles import fast_text_files

# Computed at commit fa99795. Another value means that the same model gets another bundle digest.
FIXED_TAR = "d762a10e4b31f22687baab33d219a64df4de67a0194c2b91209217ae922878b0"
FIXED_BUNDLE = "47f960eb8ba1ebef73aeda94399f54a75ddd20feb865836de2af0fedf13a116a"


def test_the_bytes_of_a_bundle_never_change():
    packed = bundle.pack(seal_text(b"model bytes", b"golden\n" * MINIMUM_GOLDEN_ROWS))
    assert bundle.sha256_hex(gzip.decompress(packed)) == FIXED_TAR
    # zlib-ng, which some distributions ship as zlib, compresses to other bytes.
    if "ng" not in zlib.ZLIB_RUNTIME_VERSION:
        assert bundle.sha256_hex(packed) == FIXED_BUNDLE


def test_packing_depends_on_contents_only():
    files = text_files()
    names = list(files)
    random.Random(1).shuffle(names)
    assert bundle.pack({name: files[name] for name in names}) == bundle.pack(files)


def test_the_manifest_is_first_and_the_pickle_last():
    with tarfile.open(fileobj=io.BytesIO(bundle.pack(fast_text_files()))) as archive:
        names = archive.getnames()
    assert names[0] == bundle.MANIFEST and names[-1] == bundle.MODEL and len(names) == 6


def test_unpacks_what_sagemaker_packs(tmp_path):
    files = text_files()
    bundle.write_folder(files, tmp_path / "model")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(tmp_path / "model", arcname=".")
    assert bundle.unpack(buffer.getvalue()) == files
    assert read_folder(tmp_path / "model") == files


@pytest.mark.parametrize("name", [*bundle.FILES, bundle.MANIFEST])
def test_a_missing_file(name):
    files = text_files()
    del files[name]
    with pytest.raises(BundleError, match=r"must contain exactly|has no manifest"):
        bundle.verify(files)


def test_two_fast_forms_cannot_be_sealed():
    files = text_files()
    with pytest.raises(BundleError, match="must contain exactly"):
        seal_text(files[bundle.MODEL], files[bundle.GOLDEN], {"model.onnx": b"", "model.treelite": b""})


def test_key_digests_are_sorted_distinct_and_survive_the_file():
    digests = bundle.key_digests(["b", "a", "b"])
    # The first eight bytes of the sha256 of "a" and of "b", little endian.
    assert sorted(
        int.from_bytes(bytes.fromhex(text), "little") for text in ("ca978112ca1bbdca", "3e23e8160039594a")
    ) == (digests.tolist())
    assert from_bytes(to_bytes(digests)).tolist() == digests.tolist()
