"""Downloads the wheels of a requirement file for another machine: exactly those whose hashes the file lists."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from include.errors import NightjarError

GLIBC = range(34, 16, -1)  # Amazon Linux 2023 has glibc 2.34
ENTRY = re.compile(r"^(?P<name>[a-z0-9-]+)==\S.*(?:\n[ \t].*)*", re.MULTILINE)


class WheelError(NightjarError):
    """A wheel could not be downloaded. The text has pip's own."""


@dataclass(frozen=True)
class Target:
    """The machine that installs the wheels.

    Attributes:
        lock: The requirement file, with hashes.
        python: Its Python, such as ``3.12``.
        without: Packages that it has already.
    """

    lock: Path
    python: str
    without: Collection[str] = ()


MWAA = Target(Path("requirements", "mwaa.txt"), "3.12")


def fetch(root: Path, target: Target, pip_python: Path, into: Path) -> list[Path]:
    """Downloads the wheels of a target to a folder, and returns them, sorted.

    A wheel that the folder has already is taken from there, if its hash is right.

    Args:
        root: The source tree.
        target: Which wheels, for which machine.
        pip_python: A Python that has pip.
        into: The folder. It is kept as a cache: what is not in the lock any more is not returned.

    Raises:
        WheelError: pip failed.
    """
    into.mkdir(parents=True, exist_ok=True)
    wanted = requirements((root / target.lock).read_text(), target.without)
    platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in GLIBC] + ["--platform=manylinux2014_x86_64"]
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder, "requirements.txt")
        lock.write_text(wanted)
        command = [
            str(pip_python), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes",
            "--no-deps", "--only-binary=:all:", "--implementation=cp", f"--python-version={target.python}",
            *platforms, f"--find-links={into}", f"--dest={Path(folder, 'wheels')}", "--requirement", str(lock),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise WheelError(
                f"pip could not download the wheels of {target.lock} for Python {target.python}; is the package index "
                f"reachable, and are the hashes those of `make lock`?\n{done.stderr.strip()[-2000:]}"
            )
        names = []
        for wheel in sorted(Path(folder, "wheels").glob("*.whl")):
            (into / wheel.name).write_bytes(wheel.read_bytes())
            names.append(wheel.name)
    return [into / name for name in names]


def requirements(lock: str, without: Collection[str] = ()) -> str:
    """The entries of a requirement file but those of some packages."""
    return "".join(f"{entry[0]}\n" for entry in ENTRY.finditer(lock) if entry["name"] not in without)
