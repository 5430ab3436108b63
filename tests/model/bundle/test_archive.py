"""What a reader refuses, in memory (training, evaluation) and streamed into files (the service)."""

from __future__ import annotations

import gzip
import pickle
import random
import tarfile

import pytest

from include.model import bundle
from include.model.bundle import BundleError
from tests.support.archives import link, tar_gz
from tests.support.bundles import open_bundle, text_files


def _sparse(size: int) -> bytes:
    """A GNU sparse file that claims a size of which the archive contains nothing."""
    info = tarfile.TarInfo("features.py")
    info.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[386:410] = b"%011o\0%011o\0" % (size, 0)
    block[483:495] = b"%011o\0" % size
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return gzip.compress(bytes(block) + bytes(1024))


def _not_a_number() -> bytes:
    """A header for which Python's tar reader raises ValueError."""
    info = tarfile.TarInfo("features.py")
    info.pax_headers = {"GNU.sparse.map": "a,b"}
    return gzip.compress(info.tobuf(tarfile.PAX_FORMAT) + bytes(1024))


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"../evil": b"x"}, "at most 100 letters"),
        ({"/etc/evil": b"x"}, "at most 100 letters"),
        ({"a/b": b"x"}, "at most 100 letters"),
        ({".hidden": b"x"}, "at most 100 letters"),
        ({"./../evil": b"x"}, "at most 100 letters"),
        ({"link": link("link", "/etc/passwd", tarfile.SYMTYPE)}, "not a regular file"),
        ({"hard": link("hard", "model.joblib", tarfile.LNKTYPE)}, "not a regular file"),
        ({"pipe": link("pipe", "", tarfile.FIFOTYPE)}, "not a regular file"),
        ({"folder": link("folder", "", tarfile.DIRTYPE)}, "not a regular file"),
        ({"features.py": b"1", "./features.py": b"2"}, "twice"),
    ],
)
def test_an_unsafe_archive(members, reason, tmp_path):
    packed = tar_gz(members)
    for load in (lambda: bundle.unpack(packed), lambda: open_bundle(packed, tmp_path)):
        with pytest.raises(BundleError, match=reason):
            load()


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (lambda: _sparse(5_000_000), "not a regular file"),
        (lambda: bundle.pack(text_files())[:-200], "not a readable gzip"),
        (lambda: bundle.pack(text_files())[:30], "not a readable"),
        (lambda: gzip.compress(b"no tar" * 500), "not a readable tar"),
        (_not_a_number, "not a readable tar"),
        (lambda: b"", "not a readable"),
        (lambda: b"no gzip", "not a readable gzip"),
    ],
)
def test_a_damaged_archive(packed, reason, tmp_path):
    data = packed()
    for load in (lambda: bundle.unpack(data), lambda: open_bundle(data, tmp_path)):
        with pytest.raises(BundleError, match=reason):
            load()


@pytest.mark.parametrize("damage", ["truncated", "overwritten"])
def test_a_large_file_that_is_damaged_in_the_middle(damage, tmp_path):
    """Larger than what the tar reader reads ahead, so that the error comes while the content is read."""
    noise = random.Random(1).randbytes(3_000_000)
    packed = bundle.pack({"features.py": noise, "golden.jsonl": noise})
    middle = 1_000_000
    damaged = packed[:middle] if damage == "truncated" else packed[:middle] + bytes(400) + packed[middle + 400 :]
    for load in (lambda: bundle.unpack(damaged), lambda: open_bundle(damaged, tmp_path)):
        with pytest.raises(BundleError, match="not a readable gzip"):
            load()


def test_a_wrong_check_sum_at_the_end():
    packed = bytearray(bundle.pack(text_files()))
    packed[-8] ^= 1
    with pytest.raises(BundleError, match="not a readable gzip file: CRC"):
        bundle.unpack(bytes(packed))


def test_a_decompression_bomb(tmp_path):
    packed = tar_gz({"features.py": bytes(1_000_000)})
    for load in (
        lambda: bundle.unpack(packed, max_bytes=100_000),
        lambda: open_bundle(packed, tmp_path, max_bytes=100_000),
    ):
        with pytest.raises(BundleError, match="more than 100000 bytes"):
            load()


def test_random_damage_is_read_or_refused():
    """Bits flipped in headers and contents: no other exception, and no hang."""
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
