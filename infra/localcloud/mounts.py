"""Folders that a process sees at a path of its container, such as ``/opt/ml``, where the machine allows it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from infra.localcloud.errors import LocalCloudError

ML_ROOT = "/opt/ml"
_LAUNCHER = Path(__file__).parent / "enter_mounts.py"
_PROBE_SECONDS = 20


class MountError(LocalCloudError):
    """This machine cannot mount a folder for one process alone."""


@cache
def refusal() -> str | None:
    """Why this machine gives a process no mounts of its own; None when it does. Found by trying it once."""
    if not sys.platform.startswith("linux"):
        return "mount namespaces exist on Linux only"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "probe").touch()
        found = f"import os, sys; sys.exit(not os.path.exists('{ML_ROOT}/probe'))"
        argv = _argv([sys.executable, "-I", "-S", "-c", found], {ML_ROOT: Path(folder)})
        try:
            answer = subprocess.run(argv, capture_output=True, text=True, timeout=_PROBE_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            return f"{type(error).__name__}: {error}"
    if answer.returncode == 0:
        return None
    return answer.stderr.strip().splitlines()[-1] if answer.stderr.strip() else f"exit code {answer.returncode}"


def command(argv: Sequence[str], mounts: Mapping[str, Path]) -> list[str]:
    """The command line that runs ``argv`` with the folders mounted.

    Args:
        argv: The command line.
        mounts: Folder by the path at which the process sees it.

    Raises:
        FileNotFoundError: The program does not exist.
        MountError: This machine cannot mount them.
    """
    if not mounts:
        return list(argv)
    if reason := refusal():
        raise MountError(f"{', '.join(mounts)} cannot be mounted for one process on this machine: {reason}")
    if shutil.which(argv[0]) is None:
        raise FileNotFoundError(f"No such program: {argv[0]!r}")
    return _argv(argv, mounts)


def _argv(argv: Sequence[str], mounts: Mapping[str, Path]) -> list[str]:
    specification = {"parent": os.getpid(), "mounts": {target: str(source) for target, source in mounts.items()}}
    return [sys.executable, "-I", "-S", str(_LAUNCHER), json.dumps(specification), *argv]
