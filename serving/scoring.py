"""Where a record is scored: on the event loop if the engine is fast, else in one engine thread, many rows per call.

A call to scikit-learn takes milliseconds for one row or for fifty, so the rows that wait while the thread is busy are
scored together by its next call. Under load, the slow engine's capacity thus grows with the queue, which
``max_in_flight`` limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from include.errors import NightjarError
from include.model.errors import ScoreError
from include.model.score import Scorer
from serving.model import LoadedModel

# An engine slower than this would delay every other request of the worker if it ran on the event loop.
INLINE_SECONDS = 0.001
# Rows of a batch that are scored before the engine thread turns to other requests.
CHUNK_ROWS = 256
# Batches in progress: each keeps its whole body in memory.
MAX_BATCHES = 8


class OverloadedError(NightjarError):
    """The worker is at capacity; retry later."""


class Scoring:
    """Scores the records of one worker.

    Args:
        model: The loaded model.
        max_in_flight: Single records in progress; further ones raise :class:`OverloadedError`.
        report_depths: Called with the number of rows that wait for a slow engine and the number of rows in progress,
            when they change.

    Attributes:
        inline: Whether the engine runs on the event loop.
        in_flight: Single records in progress.
    """

    def __init__(self, model: LoadedModel, max_in_flight: int, report_depths: Callable[[int, int], None]) -> None:
        self.in_flight = 0
        self._report_depths = report_depths
        self.inline = model.median_seconds <= INLINE_SECONDS
        self._max_in_flight = max_in_flight
        self._batches = 0
        self._scorer: Scorer = model.bundle.scorer
        self._score_one = model.bundle.model.one
        self._engine_thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._body_thread = ThreadPoolExecutor(1, thread_name_prefix="bodies")
        self._waiting: list[tuple[list[float], asyncio.Future[float]]] = []
        self._busy = False

    async def one(self, record: Mapping[str, Any]) -> float:
        """Returns the probability of label 1.

        Raises:
            ScoreError: The record cannot be scored.
            OverloadedError: Too many records are in progress.
        """
        if self.inline:
            return self.one_inline(record)
        row = self._scorer.row(record)
        if self.in_flight >= self._max_in_flight:
            raise OverloadedError
        self.in_flight += 1
        try:
            return await self._score_with_others(row)
        finally:
            self.in_flight -= 1
            self._report_depths(len(self._waiting), self.in_flight)

    def one_inline(self, record: Mapping[str, Any]) -> float:
        """Returns the probability of label 1, scored on the event loop: for an engine that is ``inline``.

        Raises:
            ScoreError: The record cannot be scored.
        """
        return self._score_row(self._scorer.row(record))

    async def many[Item](
        self,
        body: bytes,
        check: Callable[[bytes], Sequence[Item]],
        record_of: Callable[[Item], Mapping[str, Any]],
    ) -> tuple[Sequence[Item], list[float]]:
        """Checks and scores a batch off the event loop.

        Args:
            body: The request's body.
            check: Turns the body into checked items, or raises. Runs in a thread.
            record_of: Returns an item's clean record.

        Returns:
            The checked items, and the probability of label 1 of each.

        Raises:
            ScoreError: A record cannot be scored; the error has its index.
            OverloadedError: Too many batches are in progress.
        """
        if self._batches >= MAX_BATCHES:
            raise OverloadedError
        self._batches += 1
        try:
            checked = await self.off_loop(check, body)
            loop = asyncio.get_running_loop()
            probabilities: list[float] = []
            for start in range(0, len(checked), CHUNK_ROWS):
                records = [record_of(item) for item in checked[start : start + CHUNK_ROWS]]
                probabilities += await loop.run_in_executor(self._engine_thread, self._score_chunk, records, start)
            return checked, probabilities
        finally:
            self._batches -= 1

    async def off_loop[**Arguments, Result](
        self, work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """Runs ``work`` in a thread: for work that grows with the rows of a batch and does not need the engine."""
        return await asyncio.get_running_loop().run_in_executor(self._body_thread, lambda: work(*args, **kwargs))

    def prediction(self, probability: float) -> int:
        """Returns the label at the bundle's threshold."""
        return self._scorer.prediction(probability)

    def close(self) -> None:
        """Ends the threads after the work in progress."""
        self._engine_thread.shutdown()
        self._body_thread.shutdown()

    def _score_row(self, row: list[float]) -> float:
        try:
            return self._score_one(row)
        except ValueError as error:
            raise ScoreError(f"the model refuses the row: {error}") from error

    def _score_chunk(self, records: Sequence[Mapping[str, Any]], start: int) -> list[float]:
        try:
            return self._scorer.probabilities(records).tolist()
        except ScoreError as error:
            raise ScoreError(str(error), start + error.index) from error

    async def _score_with_others(self, row: list[float]) -> float:
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if not self._busy:
            self._start_call()
        self._report_depths(len(self._waiting), self.in_flight)
        return await future

    def _start_call(self) -> None:
        """Passes all waiting rows to the engine thread."""
        taken, self._waiting = self._waiting, []
        self._busy = bool(taken)
        if taken:
            loop = asyncio.get_running_loop()
            call = loop.run_in_executor(self._engine_thread, self._score_rows, [row for row, _ in taken])
            call.add_done_callback(lambda done: self._deliver([future for _, future in taken], done))

    def _deliver(self, futures: list[asyncio.Future[float]], done: asyncio.Future[list[float | ScoreError]]) -> None:
        crash = done.exception()
        results = [crash] * len(futures) if crash is not None else done.result()
        for future, result in zip(futures, results, strict=True):
            if future.done():
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)
        self._start_call()

    def _score_rows(self, rows: list[list[float]]) -> list[float | ScoreError]:
        """Scores all rows in one call. A row that the model refuses does not fail the others."""
        try:
            return self._scorer.score(self._scorer.stack(rows)).tolist()
        except ScoreError:
            return [self._score_alone(row) for row in rows]

    def _score_alone(self, row: list[float]) -> float | ScoreError:
        try:
            return self._score_row(row)
        except ScoreError as error:
            return error
