"""Where a record is scored: on the event loop when the engine is fast enough, else in one worker thread, many rows at once.

Scoring a row through scikit-learn costs milliseconds whether it is one row or fifty, so rows that wait while the worker is busy
are scored together by its next call: under load the slow engine's capacity grows with the queue, which ``max_in_flight`` bounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from include.model.score import ScoreError, Scorer
from serving.model import LoadedModel

# A slower engine would hold up every other request of the process for too long.
INLINE_SECONDS = 0.001
# Rows of a batch that are worked on between two looks at what else waits.
CHUNK_ROWS = 256
# Batches in work at once: each holds its whole body in memory.
MAX_BATCHES = 8


class Overloaded(Exception):
    """As much is in work as this process takes on; the caller should try again."""


class Scoring:
    """Scores for one process. Errors: ``ScoreError`` for a record, :class:`Overloaded`."""

    def __init__(self, model: LoadedModel, max_in_flight: int, told: Callable[[int, int], None]) -> None:
        """``told`` is called with the rows that wait for a slow engine, and with the rows in work, when they change."""
        self.in_flight = 0
        self._told = told
        self.inline = model.median_seconds <= INLINE_SECONDS
        self._max_in_flight = max_in_flight
        self._batches = 0
        self._scorer: Scorer = model.bundle.scorer
        self._one = model.bundle.model.one
        self._engine = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._bodies = ThreadPoolExecutor(1, thread_name_prefix="bodies")
        self._waiting: list[tuple[list[float], asyncio.Future[float]]] = []
        self._busy = False

    async def one(self, record: Mapping[str, Any]) -> float:
        """Probability of label 1."""
        if self.inline:
            return self.at_once(record)
        row = self._scorer.row(record)
        if self.in_flight >= self._max_in_flight:
            raise Overloaded
        self.in_flight += 1
        try:
            return await self._coalesced(row)
        finally:
            self.in_flight -= 1
            self._told(len(self._waiting), self.in_flight)

    def at_once(self, record: Mapping[str, Any]) -> float:
        """Probability of label 1, on the event loop: for an engine that is ``inline``."""
        return self._score_row(self._scorer.row(record))

    async def many(self, body: bytes, check: Callable[[bytes], list[Any]], record_of: Callable[[Any], Any]) -> Any:
        """``(checked, probabilities)`` of a batch. ``check`` turns the body into what is checked, off the event loop;
        ``record_of`` gives the clean record of each.
        """
        if self._batches >= MAX_BATCHES:
            raise Overloaded
        self._batches += 1
        try:
            checked = await self.aside(check, body)
            loop = asyncio.get_running_loop()
            probabilities: list[float] = []
            for start in range(0, len(checked), CHUNK_ROWS):
                records = [record_of(one) for one in checked[start : start + CHUNK_ROWS]]
                probabilities += await loop.run_in_executor(self._engine, self._chunk, records, start)
            return checked, probabilities
        finally:
            self._batches -= 1

    async def aside(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """What ``work`` returns, off the event loop: for what grows with the rows of a batch, but needs no engine."""
        return await asyncio.get_running_loop().run_in_executor(self._bodies, work, *arguments)

    def prediction(self, probability: float) -> int:
        """The label at the bundle's threshold."""
        return self._scorer.prediction(probability)

    def close(self) -> None:
        """Ends the worker threads; what is in work is finished first."""
        self._engine.shutdown()
        self._bodies.shutdown()

    def _score_row(self, row: list[float]) -> float:
        try:
            return self._one(row)
        except ValueError as error:
            raise ScoreError(f"the model refuses the row: {error}") from error

    def _chunk(self, records: Sequence[Mapping[str, Any]], start: int) -> list[float]:
        try:
            return self._scorer.probabilities(records).tolist()
        except ScoreError as error:
            raise ScoreError(str(error), start + error.index) from error

    async def _coalesced(self, row: list[float]) -> float:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if not self._busy:
            self._next()
        self._told(len(self._waiting), self.in_flight)
        return await future

    def _next(self) -> None:
        """Hands everything that waits to the worker."""
        taken, self._waiting = self._waiting, []
        self._busy = bool(taken)
        if taken:
            loop = asyncio.get_running_loop()
            work = loop.run_in_executor(self._engine, self._rows, [row for row, _ in taken])
            work.add_done_callback(lambda done: self._deliver(taken, done))

    def _deliver(self, taken: list[tuple[list[float], asyncio.Future[float]]], done: asyncio.Future[list[Any]]) -> None:
        results = [done.exception()] * len(taken) if done.exception() else done.result()
        for (_, future), result in zip(taken, results, strict=True):
            if future.done():
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)
        self._next()

    def _rows(self, rows: list[list[float]]) -> list[float | ScoreError]:
        """One call for all; a row that the model refuses must not take the others with it."""
        try:
            return self._scorer.score(self._scorer.stack(rows)).tolist()
        except ScoreError:
            return [self._alone(row) for row in rows]

    def _alone(self, row: list[float]) -> float | ScoreError:
        try:
            return self._score_row(row)
        except ScoreError as error:
            return error
