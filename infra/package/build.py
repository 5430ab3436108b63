"""Stamps the build: which commit the code is of, and the hash of what transform and audit use.

From the hash, ``process`` knows which published days are still valid.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.package.imports import modules_used
from infra.package.tree import ROOT, files, tree_hash

PACKAGED = ("include", "plugins", "serving")
STAMPED = ("include", "plugins/nightjar")  # they are deployed separately, so a run's first task compares their stamps
BUILD_FILE = "_build.json"
SCRIPTS = ("transform", "audit")
LIBRARIES = Path("requirements", "glue.txt")


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
    git_sha = git(root, "rev-parse", "HEAD") or "0" * 40
    dirty = content_hash(root)[:12] if changed(root, PACKAGED) else ""
    # The time of the commit, not the current time: the same code gives the same build.
    built_at = git(root, "show", "-s", "--format=%cI", "HEAD")
    code_sha = f"{git_sha[:12]}-{dirty}" if dirty else git_sha[:12]
    build = Build(git_sha, dirty, built_at, code_sha, process_code(root))
    text = json.dumps(asdict(build), indent=1) + "\n"
    for folder in STAMPED:
        file = root / folder / BUILD_FILE
        if not file.is_file() or file.read_text() != text:
            file.write_text(text)
            file.chmod(0o644)  # the images are built from it, and they run as other users
    return build


def changed(root: Path, paths: tuple[str, ...]) -> list[str]:
    """The files below ``paths`` that differ from the commit; without git, ``paths`` themselves."""
    if not git(root, "rev-parse", "HEAD"):
        return list(paths)
    return git(root, "status", "--porcelain", "--", *paths).splitlines()


def process_code(root: Path) -> str:
    """SHA-256 of the shared code of transform and audit (no workload's files) and of their pinned libraries."""
    entries = [f"include.glue.{script}" for script in SCRIPTS]
    return tree_hash(root, [*modules_used(root, entries), root / LIBRARIES])


def content_hash(root: Path) -> str:
    """SHA-256 of the paths and contents of all packaged files except the stamps."""
    return tree_hash(root, [path for folder in PACKAGED for path in files(root / folder) if path.name != BUILD_FILE])


def git(root: Path, *arguments: str) -> str:
    """The output of a git command; empty when it fails, as without git."""
    try:
        answer = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.stdout.strip()
