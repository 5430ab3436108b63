"""How long `make run` took, set-up included, and which kind of run it was: written down in the summary, run after run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from infra.laptop.config import LaptopConfig

STARTED = "NIGHTJAR_STARTED"  # seconds since the epoch; the Makefile sets it before the set-up


def runs(config: LaptopConfig, environ: Mapping[str, str], now: datetime) -> list[dict[str, Any]]:
    """The runs that ended well on this run folder, oldest first, the one that ends ``now`` with them.

    A run is ``{"started", "seconds", "first", "set_up"}``: ``first`` on its run folder; ``set_up``: environments were installed.
    Without the variable ``NIGHTJAR_STARTED``, which a run that did not come from the Makefile lacks, nothing is added.
    """
    file = config.state / "summary.json"
    before = json.loads(file.read_text()).get("runs", []) if file.is_file() else []
    if not environ.get(STARTED):
        return before
    started = float(environ[STARTED])
    stamps = [stamp.stat().st_mtime for stamp in (config.home / "venvs").glob("*/.stamp")]
    run = {
        "started": datetime.fromtimestamp(started, UTC).isoformat(),
        "seconds": round(now.timestamp() - started, 1),
        "first": not before,
        "set_up": any(written >= started for written in stamps),
    }
    return [*before, run]
