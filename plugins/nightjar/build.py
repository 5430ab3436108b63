"""Which build of the code runs, from the ``_build.json`` of ``include`` and of these plugins.

DAGs (with ``include``) and plugins reach Airflow in different ways. A run that mixes builds would compute keys with one
build and do the work with the other, so the first task of every run compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path

OWN_BUILD_FILE = Path(__file__).with_name("_build.json")


def code_sha(build_file: Path) -> str:
    """Returns the id of the build.

    Args:
        build_file: The build file of ``include``.

    Raises:
        ValueError: A build file is missing or unreadable, or the two builds differ.
    """
    own, theirs = _read(OWN_BUILD_FILE), _read(build_file)
    if own != theirs:
        raise ValueError(
            f"plugins are of build {own}, dags/include of build {theirs}: upload plugins.zip and dags together"
        )
    return own


def _read(build_file: Path) -> str:
    try:
        return str(json.loads(build_file.read_text())["code_sha"])
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{build_file} is missing or unreadable ({error!r}). Package the code first.") from None
