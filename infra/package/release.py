"""Builds a release: every file that AWS gets of one build, in a folder, with a manifest of their hashes.

``mwaa/`` goes to the MWAA bucket below ``releases/<code sha>/``, ``code/`` to the artifact bucket below
``code/<code sha>/`` (ADR 30). The same commit gives the same bytes, wherever and whenever it is packed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.errors import NightjarError
from infra.package import functions, glue, models_page
from infra.package.build import PACKAGED, changed, stamp
from infra.package.tree import ROOT, contents, zipped

MANIFEST = "release.json"
MWAA, CODE = "mwaa", "code"
PLUGINS, REQUIREMENTS, DAGS = "plugins.zip", "requirements.txt", "dags"
# What goes into a release beside what the stamp covers.
RELEASED = (*PACKAGED, "dags", "requirements.txt", "requirements", functions.FOLDER)
# The wheels are unpacked here with the plugins, on the web server too, which has no DAGs.
PLUGIN_FOLDER = "/usr/local/airflow/plugins"
WHEELS_ONLY = f"--find-links {PLUGIN_FOLDER}\n--no-index\n"


class ReleaseError(NightjarError):
    """A release cannot be read, or is not complete. The text names the file."""


@dataclass(frozen=True)
class Release:
    """A release that was built.

    Attributes:
        folder: Where its files are.
        manifest: The content of ``release.json``.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def code_sha(self) -> str:
        """The build."""
        return str(self.manifest["code_sha"])

    def files(self, part: str) -> dict[str, Path]:
        """Name below the part's folder (``mwaa`` or ``code``) → file, as the manifest lists them."""
        names = [name for name in self.manifest["files"] if name.startswith(f"{part}/")]
        return {name.removeprefix(f"{part}/"): self.folder / name for name in names}


def build(out: Path, *, mwaa_wheels: Iterable[Path], glue_wheels: Iterable[Path], root: Path = ROOT) -> Release:
    """Builds the release of a source tree in ``out/<code sha>/``, in the place of what is there.

    Args:
        out: The folder of all releases.
        mwaa_wheels: Wheels of what a worker needs beyond its image, with their own requirements.
        glue_wheels: Wheels of the Glue jobs' libraries.
        root: The source tree.
    """
    done = stamp(root)
    plugins = {
        **contents(root / "plugins"),
        **models_page.carried(root),
        **{wheel.name: wheel.read_bytes() for wheel in mwaa_wheels},
    }
    files = {
        f"{MWAA}/{PLUGINS}": zipped(plugins),
        f"{MWAA}/{REQUIREMENTS}": WHEELS_ONLY.encode() + (root / "requirements.txt").read_bytes(),
        **contents(root / "dags", f"{MWAA}/{DAGS}/"),
        **contents(root / "include", f"{MWAA}/{DAGS}/include/"),
        **{f"{CODE}/{name}": body for name, body in glue.scripts_and_archive(root).items()},
        f"{CODE}/{glue.WHEELS}": glue.zip_of_wheels(glue_wheels),
        **{f"{CODE}/{name}": body for name, body in functions.archives(root).items()},
    }
    manifest = {
        "code_sha": done.code_sha,
        "git_sha": done.git_sha,
        "built_at": done.built_at,
        "changed": changed(root, RELEASED),
        "files": {
            name: {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
            for name, body in sorted(files.items())
        },
    }
    folder = out / done.code_sha
    shutil.rmtree(folder, ignore_errors=True)
    for name, body in {**files, MANIFEST: (json.dumps(manifest, indent=1) + "\n").encode()}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    return Release(folder, manifest)


def only(folder: Path) -> Path:
    """The folder of the one release in a folder of releases, or the folder itself when it is a release.

    Raises:
        ReleaseError: There is none, or there are several.
    """
    if (folder / MANIFEST).is_file():
        return folder
    found = sorted(file.parent for file in folder.glob(f"*/{MANIFEST}"))
    if len(found) != 1:
        raise ReleaseError(f"{folder} has {len(found)} releases. Name the folder of one, or build it: make package.")
    return found[0]


def read(folder: Path) -> Release:
    """Reads a release from its folder, and checks every file against the manifest.

    Raises:
        ReleaseError: The manifest is missing or unreadable, or a file is missing or has another hash.
    """
    try:
        release = Release(folder, json.loads((folder / MANIFEST).read_text()))
        listed = {name: entry["sha256"] for name, entry in release.manifest["files"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(
            f"{folder / MANIFEST} is missing or unreadable ({error!r}). Build it: make package."
        ) from None
    for name, sha256 in listed.items():
        file = folder / name
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
            raise ReleaseError(f"{file} is not the file that {MANIFEST} lists. Build the release again: make package.")
    return release
