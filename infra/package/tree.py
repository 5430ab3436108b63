"""The files of the source tree, their hash, and zip archives whose bytes depend on nothing else."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EPOCH = (1980, 1, 1, 0, 0, 0)
READABLE = 0o644 << 16  # who unpacks an archive runs as another user
UNIX = 3


# Below a workload's folder: what only the laptop needs, to replay its history.
LAPTOP_ONLY = re.compile(r"(^|/)workloads/[^/]+/history/")


def files(folder: Path) -> list[Path]:
    """Every file below a folder that is packaged, sorted: not compiled ones, nor those that only the laptop needs."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.suffix != ".pyc"
        and not LAPTOP_ONLY.search(path.as_posix())
    )


def contents(folder: Path, prefix: str = "") -> dict[str, bytes]:
    """Path below the folder, after ``prefix`` → content."""
    return {f"{prefix}{path.relative_to(folder).as_posix()}": path.read_bytes() for path in files(folder)}


def tree_hash(root: Path, paths: Iterable[Path]) -> str:
    """SHA-256 of the paths (relative to ``root``) and contents of files."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def zipped(entries: Mapping[str, bytes]) -> bytes:
    """A zip archive of names and contents.

    The files are stored, not compressed: what another zlib makes of the same content has other bytes.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr, info.create_system = READABLE, UNIX
            archive.writestr(info, entries[name])
    return buffer.getvalue()
