"""The build stamp, which names the build of this code. Packaging writes the file; it is never committed."""

from __future__ import annotations

import json
from pathlib import Path

BUILD_FILE = Path(__file__).with_name("_build.json")


def process_code(build_file: Path = BUILD_FILE) -> str:
    """Returns the hash of the shared code and the libraries that transform and audit use.

    Raises:
        ValueError: The build file is missing or unreadable.
    """
    try:
        return str(json.loads(build_file.read_text())["process_code"])
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{build_file} is missing or unreadable ({error!r}). Package the code first.") from None
