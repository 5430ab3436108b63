"""The baseline is read out of a packed bundle, and checked on the way."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import Any

import pytest

from include.errors import RefusedError
from include.pipelines.monitor.bundle_baseline import parse_baseline, read_baseline

BASELINE = b'{"format":1,"features":{}}'


def packed(members: dict[str, bytes]) -> tuple[bytes, str]:
    """A bundle and its sha256."""
    unzipped = io.BytesIO()
    with tarfile.open(fileobj=unzipped, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    data = gzip.compress(unzipped.getvalue())
    return data, hashlib.sha256(data).hexdigest()


def manifest(baseline: bytes | None) -> bytes:
    files: dict[str, Any] = {}
    if baseline is not None:
        files["baseline.json"] = {"sha256": hashlib.sha256(baseline).hexdigest(), "bytes": len(baseline)}
    return json.dumps({"files": files}).encode()


def test_it_is_read_with_a_large_model_behind_it() -> None:
    data, digest = packed(
        {"manifest.json": manifest(BASELINE), "baseline.json": BASELINE, "model.joblib": bytes(3 << 20)}
    )
    assert read_baseline(io.BytesIO(data), digest) == BASELINE


def test_an_older_bundle_has_none() -> None:
    data, digest = packed({"manifest.json": manifest(None), "model.joblib": b"x"})
    assert read_baseline(io.BytesIO(data), digest) is None


def test_another_bundle_than_the_registered_one_is_refused() -> None:
    data, _ = packed({"manifest.json": manifest(BASELINE), "baseline.json": BASELINE})
    with pytest.raises(RefusedError, match="was altered"):
        read_baseline(io.BytesIO(data), "0" * 64)


def test_a_baseline_that_the_manifest_does_not_name_is_refused() -> None:
    data, digest = packed({"manifest.json": manifest(b"other"), "baseline.json": BASELINE})
    with pytest.raises(RefusedError, match="not the one that its manifest names"):
        read_baseline(io.BytesIO(data), digest)


def test_what_is_no_archive_is_refused() -> None:
    data = b"nothing"
    with pytest.raises(RefusedError, match="not a readable archive"):
        read_baseline(io.BytesIO(data), hashlib.sha256(data).hexdigest())


def test_the_copy_is_checked_and_an_unknown_format_counts_as_none() -> None:
    assert parse_baseline(BASELINE, hashlib.sha256(BASELINE).hexdigest()) == {"format": 1, "features": {}}
    with pytest.raises(RefusedError, match="copy of the baseline was altered"):
        parse_baseline(BASELINE, "0" * 64)
    newer = b'{"format":2}'
    assert parse_baseline(newer, hashlib.sha256(newer).hexdigest()) is None
