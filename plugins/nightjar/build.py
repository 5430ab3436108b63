"""Which build of the code runs: what was stamped into ``include/_build.json`` when it was packaged."""

from __future__ import annotations

import json
from pathlib import Path


def code_sha(build_file: Path) -> str:
    """The build's id. Raises ValueError, with what to do, for code that was never stamped."""
    try:
        return json.loads(build_file.read_text())["code_sha"]
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{build_file.name} does not say which build this is ({error!r}). Package the code first.") from None
