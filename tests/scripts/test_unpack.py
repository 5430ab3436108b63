from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from scripts import unpack


def archive(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "package.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return path


def test_only_the_named_files_are_extracted(tmp_path: Path) -> None:
    package = archive(tmp_path, {"p/a.csv": b"a", "p/setup.py": b"x"})
    unpack.unpack(package, {"p/a.csv": ("data/a.csv", hashlib.sha256(b"a").hexdigest())}, tmp_path / "home")
    assert [p.name for p in (tmp_path / "home").rglob("*") if p.is_file()] == ["a.csv"]


def test_a_file_with_another_digest_is_refused_and_deleted(tmp_path: Path) -> None:
    package = archive(tmp_path, {"p/a.csv": b"tampered"})
    with pytest.raises(unpack.UnpackError, match=r"p/a\.csv has SHA-256"):
        unpack.unpack(package, {"p/a.csv": ("data/a.csv", hashlib.sha256(b"a").hexdigest())}, tmp_path / "home")
    assert not [p for p in (tmp_path / "home").rglob("*") if p.is_file()]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    package = archive(tmp_path, {"p/b.csv": b"b"})
    with pytest.raises(unpack.UnpackError, match=r"lacks p/a\.csv"):
        unpack.unpack(package, {"p/a.csv": ("data/a.csv", "0" * 64)}, tmp_path / "home")


def test_a_zip_archive_is_read_too(tmp_path: Path) -> None:
    package = tmp_path / "package.zip"
    with zipfile.ZipFile(package, "w") as file:
        file.writestr("p/a.csv", b"a")
        file.writestr("p/b.csv", b"b")
    unpack.unpack(package, {"p/a.csv": ("a.csv", hashlib.sha256(b"a").hexdigest())}, tmp_path / "home")
    assert {p.name: p.read_bytes() for p in (tmp_path / "home").iterdir()} == {"a.csv": b"a"}
