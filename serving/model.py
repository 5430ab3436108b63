"""The one model of a task: fetched, checked, loaded, and verified on its golden rows before anything is served.

:func:`load` runs once, in the supervisor. The workers are forked from it and share its memory.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from include.model import bundle, golden
from include.model.bundle import Bundle, BundleError
from serving.settings import Settings
from serving.source import fetch

TIMED_RUNS = 30
log = logging.getLogger(__name__)


class LoadedModel(NamedTuple):
    """A bundle that scored its golden rows as in training.

    Attributes:
        bundle: The loaded bundle.
        golden: Result of scoring the golden rows.
        median_seconds: Time that the engine takes for one row, measured in this process.
        load_seconds: Time from the start of the download until the golden rows were scored.
    """

    bundle: Bundle
    golden: golden.GoldenResult
    median_seconds: float
    load_seconds: float


def load(settings: Settings) -> LoadedModel:
    """Fetches the bundle, checks its digest, loads it, and scores the golden rows.

    Raises:
        SourceError: The bundle cannot be fetched.
        BundleError: The bundle is damaged, of another workload, or does not score as in training.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nightjar-bundle-") as folder:
        archive = fetch(settings.bundle_uri, Path(folder) / "bundle.tar.gz")
        loaded = bundle.open_packed(archive, settings.bundle_digest, Path(folder))
    if loaded.manifest.workload != settings.workload:
        raise BundleError(
            f"The bundle belongs to workload {loaded.manifest.workload}, but WORKLOAD is {settings.workload}. "
            "Correct BUNDLE_URI or WORKLOAD."
        )
    result = golden.rescore(loaded.golden, loaded.schema, loaded.scorer)
    if not result.ok:
        raise BundleError(f"The bundle does not score as it did in training: {result.reason}")
    median = _median_seconds(loaded)
    model = LoadedModel(loaded, result, median, time.monotonic() - started)
    data = {
        "workload": settings.workload,
        "model_version": settings.model_version,
        "bundle_digest": settings.bundle_digest,
        "engine": loaded.model.name,
        "engine_microseconds": round(median * 1e6, 1),
        "golden_rows": result.rows,
        "max_difference": result.max_difference,
        "seconds": round(model.load_seconds, 3),
    }
    log.info("The bundle is ready", extra={"data": data})
    return model


def _median_seconds(loaded: Bundle) -> float:
    """Times the engine on one row. The first call warms the engine up and does not count."""
    rows = [loaded.scorer.row(row.request) for row in loaded.golden]
    seconds = []
    for run in range(TIMED_RUNS + 1):
        started = time.perf_counter()
        loaded.model.one(rows[run % len(rows)])
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])
