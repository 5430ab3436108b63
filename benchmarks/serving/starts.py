"""What a task of several processes costs: seconds from start to ready, and memory once all have answered."""

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
# What uvicorn logs once in each process.
STARTED = "Application startup complete."


@dataclass(frozen=True)
class Start:
    """``first``: seconds to the first 200; ``whole``: until every process serves (None where ``first`` is that, as ours forks
    them from a loaded parent). ``pss`` in bytes."""

    first: float
    whole: float | None
    pss: int


def ours(model: Forest, folder: Path, times: int) -> Start:
    """``python -m serving`` with four processes."""
    return _median(
        [_once(contestants.ours(contestants.OURS_OFF, model.bundle, WORKERS), folder, None) for _ in range(times)]
    )


def joblib(model: Forest, folder: Path, times: int) -> Start:
    """The source's service under ``uvicorn --workers 4``: every process unpickles the forest."""
    peer = contestants.source(model, "--workers", str(WORKERS))
    return _median([_once(peer, folder, STARTED) for _ in range(times)])


def _once(contestant: Contestant, folder: Path, started: str | None) -> Start:
    with contestant.start(folder / "start.log", None) as server:
        first = server.until_answers(contestant.form)
        whole = server.until_logged(started, WORKERS) if started else None
        # Used pages, not only loaded ones: requests may break what processes share.
        measure.play(Spec(server.port, contestant.form, CONNECTIONS, SECONDS))
        return Start(first, whole, usage.pss_bytes(server.pid))


def _median(all_of_them: list[Start]) -> Start:
    whole = [one.whole for one in all_of_them if one.whole is not None]
    return Start(
        statistics.median(one.first for one in all_of_them),
        statistics.median(whole) if whole else None,
        int(statistics.median(one.pss for one in all_of_them)),
    )
