"""Start and memory of a task with several processes: seconds until it is ready, and PSS after all have answered."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving import contestants, measure, usage
from benchmarks.serving.contestants import Contestant
from benchmarks.serving.forest import Forest
from benchmarks.serving.load import Spec

WORKERS = 4
CONNECTIONS, SECONDS = 16, 1.5
# uvicorn logs this once in each process.
STARTED = "Application startup complete."


@dataclass(frozen=True)
class Start:
    """One start.

    Attributes:
        first: Seconds until the first 200.
        whole: Seconds until every process serves; None for the service, whose workers are forked when the model is
            loaded.
        pss: Bytes.
    """

    first: float
    whole: float | None
    pss: int


def ours(model: Forest, folder: Path, times: int) -> Start:
    """Measures ``python -m serving`` with four workers."""
    return _median(
        [_once(contestants.ours(contestants.OURS_OFF, model.bundle, WORKERS), folder, None) for _ in range(times)]
    )


def joblib(model: Forest, folder: Path, times: int) -> Start:
    """Measures the source's service with ``uvicorn --workers 4``: every process unpickles the forest."""
    peer = contestants.source(model, "--workers", str(WORKERS))
    return _median([_once(peer, folder, STARTED) for _ in range(times)])


def _once(contestant: Contestant, folder: Path, started: str | None) -> Start:
    with contestant.start(folder / "start.log", None) as server:
        first = server.until_answers(contestant.form)
        whole = server.until_logged(started, WORKERS) if started else None
        # After requests, because they may write to pages that the processes shared.
        measure.play(Spec(server.port, contestant.form, CONNECTIONS, SECONDS))
        return Start(first, whole, usage.pss_bytes(server.pid))


def _median(starts: list[Start]) -> Start:
    whole = [one.whole for one in starts if one.whole is not None]
    return Start(
        statistics.median(one.first for one in starts),
        statistics.median(whole) if whole else None,
        int(statistics.median(one.pss for one in starts)),
    )
