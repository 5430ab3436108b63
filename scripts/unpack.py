"""Extracts members of a package archive (tar.gz or zip) to files, and checks their SHA-256.

Standard library only, because it runs before any environment exists. A file gets its name after its SHA-256 was
checked, so an existing file is complete. As a program it extracts the Hadoop libraries of the local Glue:
``unpack.py DOWNLOADS NIGHTJAR_HOME``.
"""

from __future__ import annotations

import hashlib
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

# member of the package -> (path below NIGHTJAR_HOME, SHA-256)
JARS = {
    "sagemaker_pyspark-1.4.5.tar.gz": {
        "sagemaker_pyspark-1.4.5/deps/jars/hadoop-aws-3.3.1.jar": (
            "jars/hadoop-aws-3.3.1.jar",
            "6be50ad8a8b445d2802381b085b2a3ede5c29d353450a6a21f16b2fefa962b6e",
        ),
        "sagemaker_pyspark-1.4.5/deps/jars/aws-java-sdk-bundle-1.11.901.jar": (
            "jars/aws-java-sdk-bundle-1.11.901.jar",
            "b87175b32a16544cc1b37cf40390eb375833e62bed67f8ce6cde4b7ad6429ead",
        ),
    },
}


class UnpackError(RuntimeError):
    """A package lacks a file, or a file has another digest. (include.errors cannot be imported before set-up.)"""


def unpack(archive: Path, members: Mapping[str, tuple[str, str]], home: Path) -> None:
    """Extracts the members of one archive to ``home``.

    Args:
        archive: A tar.gz or zip file.
        members: Name of the member → its path below ``home``, and its SHA-256.
        home: The folder.

    Raises:
        UnpackError: The archive lacks a member, or a member has another digest.
    """
    missing = dict(members)
    for name, source in _files(archive, missing):
        target, expected = missing.pop(name)
        _extract(name, source, home / target, expected)
    if missing:
        raise UnpackError(f"{archive.name} lacks {', '.join(missing)}. Run the set-up again.")


def _files(archive: Path, names: Mapping[str, object]) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of each file in the archive that has one of the names."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as package:
            for info in package.infolist():
                if info.filename in names and not info.is_dir():
                    with package.open(info) as source:
                        yield info.filename, source
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.name in names and (file := tar.extractfile(member)):
                with file:
                    yield member.name, file


def _extract(name: str, source: IO[bytes], target: Path, expected: str) -> None:
    """Writes one member to a temporary file, checks its SHA-256 and renames the file."""
    with _partial(target) as partial:
        digest = hashlib.sha256()
        with partial.open("wb") as sink:
            while block := source.read(1 << 20):
                digest.update(block)
                sink.write(block)
        if digest.hexdigest() != expected:
            raise UnpackError(f"{name} has SHA-256 {digest.hexdigest()}, not {expected}. Run the set-up again.")
        partial.replace(target)


@contextmanager
def _partial(target: Path) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    try:
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def main(downloads: Path, home: Path) -> None:
    """Unpacks every package of ``JARS``."""
    for package, members in JARS.items():
        unpack(downloads / package, members, home)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
