"""Every prediction, one JSON line each, sent to a Kinesis stream or a Firehose delivery stream.

Lines are encoded into a bounded buffer. A thread sends them a few times a second, or when many wait, and sends again
what AWS did not accept. Keeping the predictions themselves until they are sent would cost a request several times more:
thousands of live objects, each of them new memory.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from serving.clock import timestamp, timestamps
from serving.telemetry.events import Prediction, ServedModel
from serving.telemetry.packing import parts
from serving.telemetry.stages import ApartError
from serving.telemetry.streams import BATCH_BYTES, BATCH_RECORDS, RECORD_BYTES, Stream, StreamRecord

SENDS_EVERY_SECONDS = 0.5
# So many lines are sent at once. A call costs a millisecond besides its lines; far more lines would hold the
# interpreter, and so all requests, for milliseconds too.
SENDS_AT_LINES = 2000
ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
_STOPPED = "the service stopped before they could be sent"

log = logging.getLogger(__name__)
_encoder = msgspec.json.Encoder()


class _Line(msgspec.Struct, gc=False):
    """One prediction as it is logged."""

    request_id: str
    time: str
    workload: str
    model_version: str
    bundle_digest: str
    features: dict[str, Any]
    probability: float
    prediction: int


class PredictionLog:
    """A bounded buffer of predictions, and the thread that sends them.

    Args:
        stream: The stream.
        model: The served model.
        limit: Capacity in predictions.
        on_sent: Called with the number of records that the stream has accepted.
        on_dropped: Called with the number of records that were dropped: the buffer was full, the record cannot be
            encoded or is too large, or it was refused :data:`ATTEMPTS` times.
    """

    def __init__(
        self,
        stream: Stream,
        model: ServedModel,
        limit: int,
        on_sent: Callable[[int], None],
        on_dropped: Callable[[int], None],
    ) -> None:
        self._stream = stream
        self._pack_bytes = stream.pack_bytes
        self._served = model.workload, model.model_version, model.bundle_digest
        self._limit = limit
        self._on_sent, self._on_dropped = on_sent, on_dropped
        self._waiting: deque[StreamRecord] = deque()
        self._lines = 0
        self._lock = threading.Lock()
        self._sends_at = min(SENDS_AT_LINES, (limit + 1) // 2)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._deadline = float("inf")
        self._rng = random.Random()  # workers must not retry at the same moment
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def add(self, *predictions: Prediction) -> None:
        """Adds all of these predictions. Does not block.

        Raises:
            ApartError: They have to be added one by one.
        """
        if len(predictions) == 1:
            self.put(predictions[0])
        elif not self.put_together(predictions):
            raise ApartError

    def put(self, prediction: Prediction) -> None:
        """Adds a prediction. Does not block."""
        if self._lines >= self._limit:
            self._on_dropped(1)
            return
        line = self._encode(prediction.time or time.time(), prediction)
        if line is None:
            return
        self._add(prediction.request_id, line, 1)

    def put_together(self, predictions: Sequence[Prediction]) -> bool:
        """Adds predictions, which costs half as much as one by one. Does not block.

        Returns:
            ``False`` if nothing was added: there is no room, one cannot be encoded, or one may be too large.
        """
        if not predictions or not self._pack_bytes or self._lines + len(predictions) > self._limit:
            return False
        now = time.time()
        try:
            lines = self._lines_of(predictions, timestamps([one.time or now for one in predictions]))
        except (TypeError, ValueError):
            return False
        if len(lines) > RECORD_BYTES:
            return False
        self._add(predictions[0].request_id, lines, len(predictions))
        return True

    def _add(self, key: str, lines: bytes, count: int) -> None:
        """Adds so many lines: as many to the newest record as it has room for, the rest to new ones."""
        with self._lock:
            self._lines += count
            newest = self._waiting[-1] if self._waiting else None
            first, *others = parts(lines, self._pack_bytes - len(newest.data) if newest else 0, self._pack_bytes)
            for part in others:
                self._waiting.append(StreamRecord(key, bytearray(part), part.count(b"\n")))
                count -= self._waiting[-1].lines
            if newest:
                newest.data += first
                newest.lines += count
        if self._lines >= self._sends_at and not self._wake.is_set():
            self._wake.set()

    def end(self, seconds: float) -> None:
        """Sets the time that is left to send what is buffered."""
        self._deadline = time.monotonic() + seconds
        self._stopping.set()
        self._wake.set()

    def join(self) -> None:
        """Waits for the thread until the time given to :meth:`end`, and drops what was not sent by then."""
        self._thread.join(max(0.0, self._deadline - time.monotonic()))
        if self._lines:
            self._drop(self._lines, _STOPPED)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            self._wake.wait(SENDS_EVERY_SECONDS)
            self._wake.clear()
            stopping = self._stopping.is_set()
            # What comes meanwhile waits for the next time: else one call would be made for every few predictions.
            waiting = len(self._waiting)
            while (waiting > 0 or stopping) and time.monotonic() < self._deadline and (batch := self._take_batch()):
                waiting -= len(batch)
                self._send(batch)

    def _take_batch(self) -> list[StreamRecord]:
        """Takes the next records, as many as AWS accepts in one call."""
        batch: list[StreamRecord] = []
        size = 0
        with self._lock:
            while self._waiting and len(batch) < BATCH_RECORDS:
                size += len(self._waiting[0].data) + len(self._waiting[0].key)
                if size > BATCH_BYTES:
                    break
                batch.append(self._waiting.popleft())
            self._lines -= _lines(batch)
        return batch

    def _lines_of(self, predictions: Sequence[Prediction], times: Sequence[str]) -> bytes:
        workload, version, digest = self._served
        return _encoder.encode_lines(
            [
                _Line(request_id, when, workload, version, digest, record, probability, label)
                for (request_id, record, probability, label, _), when in zip(predictions, times, strict=True)
            ]
        )

    def _encode(self, when: float, prediction: Prediction) -> bytes | None:
        try:
            encoded = self._lines_of([prediction], [timestamp(when)])
        except (TypeError, ValueError) as error:
            self._drop(1, f"a record cannot be written as JSON: {error}")
            return None
        if len(encoded) > RECORD_BYTES:
            self._drop(1, f"a record has {len(encoded)} bytes; a stream takes {RECORD_BYTES}")
            return None
        return encoded

    def _send(self, batch: list[StreamRecord]) -> None:
        """Sends until AWS has accepted every record, at most :data:`ATTEMPTS` times, and not beyond the deadline."""
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(attempt)
            if time.monotonic() > self._deadline:
                break
            try:
                reasons = self._stream.put(batch)
                refused = [(record, why) for record, why in zip(batch, reasons, strict=True) if why]
            except Exception as error:  # no endpoint, no credentials, no such stream, throttling: a retry may succeed
                reason = str(error)
                continue
            self._on_sent(_lines(batch) - sum(record.lines for record, _ in refused))
            if not refused:
                return
            batch, reason = [record for record, _ in refused], refused[0][1]
        self._drop(_lines(batch), reason or _STOPPED)

    def _pause(self, attempt: int) -> None:
        seconds = min(backoff_seconds(attempt, self._rng), max(0.0, self._deadline - time.monotonic()))
        if self._stopping.is_set():
            time.sleep(seconds)
        else:
            self._stopping.wait(seconds)

    def _drop(self, count: int, reason: str) -> None:
        self._on_dropped(count)
        log.error("%d predictions are missing from %s: %s", count, self._stream.uri, reason)


def backoff_seconds(attempt: int, rng: random.Random) -> float:
    """Returns the pause before a retry: exponential, bounded, with jitter.

    Args:
        attempt: Number of the retry, from 1.
        rng: Source of the jitter.
    """
    longest = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
    return longest * rng.uniform(0.5, 1)


def _lines(batch: list[StreamRecord]) -> int:
    return sum(record.lines for record in batch)
