"""The prediction routes without FastAPI: a good request costs decoding, features, engine, and writing one answer.

FastAPI's own machinery costs more than the answer of a fast engine. The handlers in ``serving.handlers`` give the same
answers through FastAPI; a test compares both on every edge case.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from include.model.errors import ScoreError
from include.model.request import Checked, FieldProblem
from serving import validation
from serving.cache import record_key
from serving.errors import HttpError
from serving.scoring import OverloadedError
from serving.state import State
from serving.telemetry import Prediction

# 503s that are delayed at once. Further ones are answered at once, because each delayed one costs memory.
MAX_PAUSED = 2000
log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """A 200.

    Attributes:
        body: The JSON.
        warnings: Number of warnings in it.
        cache: ``hit``, ``miss``, or empty where no cache was asked.
    """

    body: bytes
    warnings: int = 0
    cache: str = ""


class FastPath:
    """Answers ``/predict`` and ``/predict/batch`` of one worker."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._settings = state.settings
        self._schema = state.model.bundle.schema
        self._decoder = state.decoder
        self._scoring = state.scoring
        self._cache = state.cache
        self._direct = self._scoring.inline and self._cache is None
        self._predicted = state.telemetry.predicted if state.settings.prediction_log else None
        self._tail = b',"model_version":' + json.dumps(state.settings.model_version, ensure_ascii=False).encode() + b"}"
        self._paused = 0

    def predict_now(self, body: bytes, request_id: str) -> bytes | None:
        """Scores one record without waiting.

        Returns:
            The JSON of an answer without warnings; ``None`` for a request that :meth:`predict` has to decide.
        """
        if not self._direct or (record := self._decoder.one(body)) is None:
            return None
        try:
            probability = self._scoring.one_inline(record)
        except ScoreError:
            return None
        return self._answer(request_id, record, probability, _NO_WARNINGS)

    async def predict(self, body: bytes, request_id: str) -> Answer:
        """Scores one record.

        Raises:
            HttpError: The request is rejected, or the worker is at capacity.
        """
        record, warnings = self._decoder.one(body), _NO_WARNINGS
        if record is None:
            record, _, warnings = validation.one(validation.parse(body), self._schema)
        try:
            probability, cache = await self._probability(record)
        except ScoreError as error:
            raise unscorable(error) from error
        except OverloadedError:
            raise await self._overloaded() from None
        return Answer(self._answer(request_id, record, probability, warnings), len(warnings), cache)

    async def predict_batch(self, body: bytes, request_id: str) -> Answer:
        """Scores several records, off the event loop.

        Raises:
            HttpError: The request is rejected, or the worker is at capacity.
        """
        try:
            checked, probabilities = await self._scoring.many(body, self._check_batch, lambda one: one.record)
        except ScoreError as error:
            raise unscorable(error, batch=True) from error
        except OverloadedError:
            raise await self._overloaded() from None
        return await self._scoring.off_loop(self._batch_answer, request_id, checked, probabilities)

    def _answer(
        self, request_id: str, record: dict[str, Any], probability: float, warnings: Sequence[FieldProblem]
    ) -> bytes:
        prediction = self._scoring.prediction(probability)
        answer = self._one(prediction, probability, warnings)[:-1] + self._tail
        if self._predicted:
            self._predicted(Prediction(request_id, record, probability, prediction, time.time()))
        return answer

    async def _probability(self, record: dict[str, Any]) -> tuple[float, str]:
        if self._cache is None:
            return await self._scoring.one(record), ""
        key = record_key(record)
        known = self._cache.get(key)
        if known is not None:
            return known, "hit"
        shared, cache = self._state.shared_cache, "miss"
        probability = await shared.get(record) if shared else None
        if probability is None:
            probability = await self._scoring.one(record)
            if shared:
                shared.put(record, probability)
        else:
            cache = "hit"
        self._cache.put(key, probability)
        return probability, cache

    def _check_batch(self, body: bytes) -> list[Checked]:
        records = self._decoder.many(body, self._settings.max_batch)
        if records is not None:
            return [Checked(record, [], []) for record in records]
        return validation.many(validation.parse(body), self._schema, self._settings.max_batch)

    def _batch_answer(self, request_id: str, checked: Sequence[Checked], probabilities: Sequence[float]) -> Answer:
        parts, warnings, now = [], 0, time.time()
        for number, (one, probability) in enumerate(zip(checked, probabilities, strict=True)):
            prediction = self._scoring.prediction(probability)
            if self._predicted:
                self._predicted(Prediction(f"{request_id}-{number}", one.record, probability, prediction, now))
            parts.append(self._one(prediction, probability, one.warnings))
            warnings += len(one.warnings)
        return Answer(b'{"predictions":[' + b",".join(parts) + b"]" + self._tail, warnings)

    @staticmethod
    def _one(prediction: int, probability: float, warnings: Sequence[FieldProblem]) -> bytes:
        answer = b'{"prediction":%d,"probability":%s}' % (prediction, repr(probability).encode())
        if not warnings:
            return answer
        listed = json.dumps([warning._asdict() for warning in warnings], ensure_ascii=False, separators=(",", ":"))
        return answer[:-1] + b',"warnings":' + listed.encode() + b"}"

    async def _overloaded(self) -> HttpError:
        """Returns the 503 after a pause.

        Without it, callers that retry at once would cost as much as those that are served.
        """
        if self._paused < MAX_PAUSED:
            self._paused += 1
            try:
                await asyncio.sleep(self._settings.overload_pause_seconds)
            finally:
                self._paused -= 1
        return HttpError(503, "the service is at capacity; retry later", headers={"retry-after": "1"})


def unscorable(error: ScoreError, batch: bool = False) -> HttpError:
    """Returns the 422 for a record that is valid, but that the feature code or the model refuses."""
    log.warning("A valid request could not be scored: %s", error)
    problem = (error.index if batch else None, FieldProblem("", str(error)))
    return HttpError(422, f"the record cannot be scored: {error}", [problem])


_NO_WARNINGS: list[FieldProblem] = []
