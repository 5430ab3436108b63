"""Runs the programs that the delivery needs (docker, skopeo, cosign, terraform, gh), as lists of arguments."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.delivery.command import DeliveryError


def run(arguments: Sequence[str], *, given: str | None = None, folder: Path | None = None) -> None:
    """Runs a program, whose output goes where this process's goes.

    Args:
        arguments: The program, which is found on the PATH, and its arguments.
        given: What it reads from its standard input, such as a password.
        folder: Where it runs; None: here.

    Raises:
        DeliveryError: The program is not installed, or failed.
    """
    _require(arguments[0])
    sys.stdout.flush()  # so that the lines of both are in their order
    done = subprocess.run(arguments, input=given, cwd=folder, text=True, check=False)
    if done.returncode:
        raise DeliveryError(f"`{' '.join(arguments)}` ended with {done.returncode}. Its output above says why.")


def output(arguments: Sequence[str], *, codes: Sequence[int] = (0,)) -> tuple[int, str]:
    """Runs a program; returns its exit code and what it printed.

    Args:
        arguments: The program and its arguments.
        codes: Exit codes that are no failure.

    Raises:
        DeliveryError: The program is not installed, or failed.
    """
    _require(arguments[0])
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode not in codes:
        raise DeliveryError(f"`{' '.join(arguments)}` ended with {done.returncode}:\n{done.stderr.strip()[-2000:]}")
    return done.returncode, done.stdout


def _require(program: str) -> None:
    if shutil.which(program) is None:
        raise DeliveryError(f"{program} is not on the PATH. Install it, or run this step where it is installed.")
