"""Packages the code: stamps the build, archives ``include/`` reproducibly and uploads it to ``code/<sha>/``.

The stamp also has the hash of what transform and audit use, from which ``process`` knows which days are still valid.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from include.lake import layout
from infra.laptop.aws import Aws
from infra.laptop.bootstrap.imports import modules_used
from infra.laptop.config import ROOT

PACKAGED = ("include", "plugins", "serving")
STAMPED = ("include", "plugins/nightjar")  # they are deployed separately, so a run's first task compares their stamps
BUILD_FILE = "_build.json"
SCRIPTS = ("transform", "audit")
LIBRARIES = Path("requirements", "glue.txt")
ARCHIVE = "include.zip"
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Build:
    """The content of ``_build.json``.

    Attributes:
        git_sha: The commit; zeros without git.
        dirty_hash: Hash of the packaged files when they differ from the commit, else empty.
        built_at: Time of the commit.
        code_sha: The short commit, followed by the dirty hash if there is one.
        process_code: Hash of the modules that transform and audit import and of the versions of their libraries.
    """

    git_sha: str
    dirty_hash: str
    built_at: str
    code_sha: str
    process_code: str


def stamp(root: Path = ROOT) -> Build:
    """Writes ``_build.json`` to ``include/`` and to the plugins, and returns its content."""
    git_sha = _git(root, "rev-parse", "HEAD") or "0" * 40
    changed = _git(root, "status", "--porcelain", "--", *PACKAGED)
    dirty = content_hash(root)[:12] if changed or not _git(root, "rev-parse", "HEAD") else ""
    # The time of the commit, not the current time: the same code gives the same build.
    built_at = _git(root, "show", "-s", "--format=%cI", "HEAD")
    code_sha = f"{git_sha[:12]}-{dirty}" if dirty else git_sha[:12]
    build = Build(git_sha, dirty, built_at, code_sha, process_code(root))
    text = json.dumps(asdict(build), indent=1) + "\n"
    for folder in STAMPED:
        file = root / folder / BUILD_FILE
        if not file.is_file() or file.read_text() != text:
            file.write_text(text)
            file.chmod(0o644)  # the images are built from it, and they run as other users
    return build


def process_code(root: Path) -> str:
    """SHA-256 of the shared code of transform and audit (no workload's files) and of their pinned libraries."""
    entries = [f"include.glue.{script}" for script in SCRIPTS]
    return _hash(root, [*modules_used(root, entries), root / LIBRARIES])


def content_hash(root: Path) -> str:
    """SHA-256 of the paths and contents of all packaged files except the stamps."""
    files = [path for folder in PACKAGED for path in _files(root / folder) if path.name != BUILD_FILE]
    return _hash(root, files)


def _hash(root: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def archive(root: Path = ROOT) -> bytes:
    """``include/`` as a zip. Its bytes depend only on the files' names and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path in _files(root / "include"):
            bundle.writestr(
                zipfile.ZipInfo(str(path.relative_to(root)), EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED
            )
    return buffer.getvalue()


def upload(aws: Aws, bucket: str, build: Build, root: Path = ROOT) -> None:
    """Uploads scripts and archive to the build's immutable prefix; existing objects are kept."""
    prefix = layout.code_prefix(build.code_sha)
    objects = {f"{prefix}{name}.py": (root / "include" / "glue" / f"{name}.py").read_bytes() for name in SCRIPTS}
    objects[prefix + ARCHIVE] = archive(root)
    for key, body in objects.items():
        try:
            aws.s3.put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
        except aws.s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    )


def _git(root: Path, *arguments: str) -> str:
    try:
        answer = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.stdout.strip()
