"""What must not be in an image: each function returns what it found, so that an empty list is good."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from tests.support.dockerfile.build import Image

BUILD_TOOLS = ("gcc", "g++", "cc", "ld", "make", "git", "apt-get", "pip", "pip3", "uv")
BUILD_MODULES = ("pip", "ensurepip", "setuptools", "wheel")
# Folders that a container's user may write to.
_OPEN = ("tmp", "proc", "dev", "opt/ml")


def build_tools(image: Image) -> list[str]:
    """Programs and Python modules with which something could be installed or compiled."""
    folders = [image.root / place.lstrip("/") for place in image.environment["PATH"].split(":")]
    programs = [str(folder / name) for folder in folders for name in BUILD_TOOLS if os.path.lexists(folder / name)]
    modules = [
        str(path)
        for pattern in (
            "usr/local/lib/python3.12",
            "usr/local/lib/python3.12/site-packages",
            "opt/venv/lib/*/site-packages",
        )
        for name in BUILD_MODULES
        for path in image.root.glob(f"{pattern}/{name}")
    ]
    return programs + modules


def writable(image: Image) -> list[str]:
    """Files and folders that the image's user could change."""
    uid, gid = map(int, image.user.split(":"))
    found = []
    for path in _walk(image.root):
        status = path.lstat()
        owner = status.st_uid == uid
        group = status.st_gid == gid and status.st_mode & stat.S_IWGRP
        if not stat.S_ISLNK(status.st_mode) and (owner or group or status.st_mode & stat.S_IWOTH):
            found.append(str(path.relative_to(image.root)))
    return found


def set_user_id(image: Image) -> list[str]:
    """Files outside the base image that run as another user."""
    places = (image.root / "app", image.root / "opt")
    return [
        str(path) for place in places for path in _walk(place) if path.lstat().st_mode & (stat.S_ISUID | stat.S_ISGID)
    ]


def timed_bytecode(image: Image) -> list[str]:
    """Compiled modules of ours and of the packages whose header has a time: they differ from build to build."""
    places = (image.root / "app", image.root / "opt/venv")
    return [str(path) for place in places for path in place.rglob("*.pyc") if path.read_bytes()[4:8] != b"\1\0\0\0"]


def digests(image: Image, folder: str) -> dict[str, str]:
    """SHA-256 of each file below a folder of the image, with its rights."""
    files = sorted(path for path in (image.root / folder).rglob("*") if path.is_file())
    return {
        str(path.relative_to(image.root)): f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in files
    }


def installed(image: Image) -> dict[str, str]:
    """Version of each installed distribution, by its normalised name."""
    found = {}
    for folder in image.root.glob("opt/venv/lib/*/site-packages/*.dist-info"):
        name, _, version = folder.name.removesuffix(".dist-info").partition("-")
        found[normalised(name)] = version
    return found


def pinned(requirements: str) -> dict[str, str]:
    """Version of each package that a pinned requirement file names, by its normalised name."""
    return {
        normalised(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", requirements, re.MULTILINE)
    }


def normalised(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _walk(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        place = Path(folder)
        names[:] = [name for name in names if str((place / name).relative_to(root)) not in _OPEN]
        yield from (place / name for name in (*names, *files))
