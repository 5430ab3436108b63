"""The prediction routes as thin ASGI: what a good request costs is decoding, features, engine and one answer.

FastAPI's own machinery costs more than an answer of a fast engine. The routes in ``serving.app`` say the same by the slow way; a
test holds both against each other on every edge case.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from starlette.types import Receive, Scope

from include.model.request import Checked, FieldProblem
from include.model.score import ScoreError
from serving import validation
from serving.cache import record_key
from serving.scoring import Overloaded
from serving.state import State
from serving.telemetry import Prediction
from serving.validation import Refusal

# Callers held back at once before a 503; more of them are answered at once, since each costs memory.
MAX_PAUSED = 2000
log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """A 200. ``cache``: hit, miss or "" where there is none."""

    body: bytes
    warnings: int = 0
    cache: str = ""


class Lane:
    """``/predict`` and ``/predict/batch`` of one process. Errors: :class:`Refusal`."""

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

    async def predict(self, scope: Scope, receive: Receive, request_id: str) -> Answer:
        """Scores one record."""
        body = await self._body(scope, receive)
        record, warnings = self._decoder.one(body), ()
        if record is None:
            checked = validation.one(validation.parse(body), self._schema)
            record, warnings = checked.record, checked.warnings
        try:
            if self._direct:
                probability, cache = self._scoring.at_once(record), ""
            else:
                probability, cache = await self._probability(record)
        except ScoreError as error:
            raise unscorable(error) from error
        except Overloaded:
            raise await self._overloaded() from None
        prediction = self._scoring.prediction(probability)
        if self._predicted:
            self._predicted(Prediction(request_id, record, probability, prediction))
        return Answer(self._one(prediction, probability, warnings)[:-1] + self._tail, len(warnings), cache)

    async def batch(self, scope: Scope, receive: Receive, request_id: str) -> Answer:
        """Scores several records, off the event loop."""
        body = await self._body(scope, receive)
        try:
            checked, probabilities = await self._scoring.many(body, self._check_batch, lambda one: one.record)
        except ScoreError as error:
            raise unscorable(error, batch=True) from error
        except Overloaded:
            raise await self._overloaded() from None
        return await self._scoring.aside(self._several, request_id, checked, probabilities)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        return await validation.read_body(
            scope["headers"], receive, self._settings.max_body_bytes, self._state.deadlines
        )

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

    def _several(self, request_id: str, checked: Sequence[Checked], probabilities: Sequence[float]) -> Answer:
        parts, warnings = [], 0
        for number, (one, probability) in enumerate(zip(checked, probabilities, strict=True)):
            prediction = self._scoring.prediction(probability)
            if self._predicted:
                self._predicted(Prediction(f"{request_id}-{number}", one.record, probability, prediction))
            parts.append(self._one(prediction, probability, one.warnings))
            warnings += len(one.warnings)
        return Answer(b'{"predictions":[' + b",".join(parts) + b"]" + self._tail, warnings)

    @staticmethod
    def _one(prediction: int, probability: float, warnings: Sequence[FieldProblem]) -> bytes:
        answer = b'{"prediction":%d,"probability":%s}' % (prediction, repr(probability).encode())
        if not warnings:
            return answer
        listed = json.dumps(
            [warning._asdict() for warning in warnings], ensure_ascii=False, separators=(",", ":")
        ).encode()
        return answer[:-1] + b',"warnings":' + listed + b"}"

    async def _overloaded(self) -> Refusal:
        """The 503. It is held back a moment: callers that ask again at once would else cost as much as those that are served."""
        if self._paused < MAX_PAUSED:
            self._paused += 1
            try:
                await asyncio.sleep(self._settings.overload_pause_seconds)
            finally:
                self._paused -= 1
        return Refusal(503, "as much is in work as this process takes on; try again", headers={"retry-after": "1"})


def unscorable(error: ScoreError, batch: bool = False) -> Refusal:
    """The 422 for a record that is valid, but that features or model refuse."""
    log.warning("A valid request could not be scored: %s", error)
    problem = (error.index if batch else None, FieldProblem("", str(error)))
    return Refusal(422, f"the record cannot be scored: {error}", [problem])
