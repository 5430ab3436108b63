"""What a Glue job needs of the code: its script, the archive of ``include/``, and the wheels of its libraries."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from infra.package.build import SCRIPTS
from infra.package.tree import ROOT, contents, zipped

ARCHIVE = "include.zip"
WHEELS = "glue.gluewheels.zip"  # AWS asks for this ending
SPARK = ("pyspark", "py4j")  # Glue has its own


def scripts_and_archive(root: Path = ROOT) -> dict[str, bytes]:
    """Name below ``code/<sha>/`` → content, of the scripts and of the archive of ``include/``."""
    scripts = {f"{name}.py": (root / "include" / "glue" / f"{name}.py").read_bytes() for name in SCRIPTS}
    return {**scripts, ARCHIVE: zipped(contents(root / "include", "include/"))}


def zip_of_wheels(wheels: Iterable[Path]) -> bytes:
    """The archive that ``--additional-python-modules`` takes (AWS's guide: a zip of wheels, Glue 5.0 and later).

    The job installs from it alone, with ``--python-modules-installer-option --no-index``.
    """
    entries = {f"wheels/{wheel.name}": wheel.read_bytes() for wheel in wheels}
    listed = sorted("==".join(name.removeprefix("wheels/").split("-")[:2]) for name in entries)
    return zipped({**entries, "wheels/requirements.txt": ("\n".join(listed) + "\n").encode()})
