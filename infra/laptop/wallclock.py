"""The duration of each `make run`, set-up included. The summary has one entry for each run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from infra.laptop.config import LaptopConfig

STARTED = "NIGHTJAR_STARTED"  # seconds since the epoch; the Makefile sets it before set-up


def runs(config: LaptopConfig, environ: Mapping[str, str], now: datetime) -> list[dict[str, Any]]:
    """The successful runs of this run folder, oldest first, including the one that ends ``now``.

    Each is ``{"started", "seconds", "first", "set_up"}``. ``first`` is True for the first run in its run folder,
    ``set_up`` if the run installed environments. A run without the variable ``NIGHTJAR_STARTED``, which only the
    Makefile sets, is not included.
    """
    file = config.state / "summary.json"
    before: list[dict[str, Any]] = json.loads(file.read_text()).get("runs", []) if file.is_file() else []
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
