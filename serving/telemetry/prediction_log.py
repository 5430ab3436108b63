"""Every prediction, one JSON line each, to a Kinesis stream or a Firehose delivery stream.

The hot path encodes the line into a bounded buffer. A thread sends, and sends again what AWS did not take. To keep the
predictions themselves until they are sent would cost a request several times more: thousands of live objects, each of them
new memory.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from serving.telemetry.events import Identity, Prediction
from serving.telemetry.times import stamp

# The smaller of Kinesis PutRecords' and Firehose PutRecordBatch's limits.
BATCH_RECORDS = 500
BATCH_BYTES = 4_000_000
RECORD_BYTES = 1_000_000
# Firehose only strings records together, and bills each as a multiple of 5 KB. Many lines in a record cost a tenth of a line
# each, and half the CPU time. A Kinesis record is one line: its partition key is the request's.
PACK_BYTES = 50_000
SENDS_EVERY_SECONDS = 0.5
ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


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


@dataclass
class _Record:
    """``lines`` lines that the stream takes or refuses as one."""

    key: str
    data: bytearray
    lines: int = 1


class PredictionLog:
    """``target`` is ``kinesis://<stream>`` or ``firehose://<delivery stream>``; ``limit`` is how many predictions may wait.

    :param sent: told how many records the stream has taken.
    :param dropped: told how many were lost: no room, not encodable, too large, or refused ``ATTEMPTS`` times.
    """

    def __init__(
        self, target: str, identity: Identity, limit: int, sent: Callable[[int], None], dropped: Callable[[int], None]
    ) -> None:
        service, self._stream = target.split("://")
        self._put = self._to_kinesis if service == "kinesis" else self._to_firehose
        self._service = service
        self._identity = identity
        self._client: Any = None
        self._limit = limit
        self._sent, self._dropped = sent, dropped
        self._waiting: deque[_Record] = deque()
        self._lines = 0
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._deadline = float("inf")
        self._chance = random.Random()  # no two processes try again at the same moment
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, prediction: Prediction) -> None:
        """Hot path. Never waits for more than a moment."""
        if self._lines >= self._limit:
            self._dropped(1)
            return
        line = self._encode(time.time(), prediction)
        if line is None:
            return
        with self._lock:
            self._lines += 1
            last = self._waiting[-1] if self._waiting and self._service == "firehose" else None
            if last and len(last.data) + len(line) <= PACK_BYTES:
                last.data += line
                last.lines += 1
            else:
                self._waiting.append(_Record(prediction.request_id, bytearray(line)))

    def end(self, seconds: float) -> None:
        """From now on, no more than ``seconds`` are spent on what waits."""
        self._deadline = time.monotonic() + seconds
        self._ending.set()

    def join(self) -> None:
        """Waits for the thread until the time given to :meth:`end`; what it has not sent by then is dropped."""
        self._thread.join(max(0.0, self._deadline - time.monotonic()))
        if self._lines:
            self._lose(self._lines, "the service stopped before they could be sent")

    def _run(self) -> None:
        ending = False
        while not ending:
            ending = self._ending.wait(SENDS_EVERY_SECONDS)
            while time.monotonic() < self._deadline and (batch := self._batch()):
                self._send(batch)

    def _connect(self) -> Any:
        import boto3  # here: it takes a tenth of a second, and only a service with a prediction log needs it
        from botocore.config import Config

        options = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": 1, "mode": "standard"},
        )
        return boto3.client(self._service, config=options)

    def _batch(self) -> list[_Record]:
        """The next records, as many as AWS takes at once; empty when nothing waits."""
        batch: list[_Record] = []
        size = 0
        with self._lock:
            while self._waiting and len(batch) < BATCH_RECORDS:
                size += len(self._waiting[0].data) + len(self._waiting[0].key)
                if size > BATCH_BYTES:
                    break
                batch.append(self._waiting.popleft())
            self._lines -= _lines(batch)
        return batch

    def _encode(self, when: float, prediction: Prediction) -> bytes | None:
        identity = self._identity
        line = _Line(
            prediction.request_id,
            stamp(when),
            identity.workload,
            identity.model_version,
            identity.bundle_digest,
            prediction.record,
            prediction.probability,
            prediction.prediction,
        )
        try:
            encoded = _encode(line) + b"\n"
        except (TypeError, ValueError) as error:
            self._lose(1, f"a record cannot be written as JSON: {error}")
            return None
        if len(encoded) > RECORD_BYTES:
            self._lose(1, f"a record has {len(encoded)} bytes; a stream takes {RECORD_BYTES}")
            return None
        return encoded

    def _send(self, batch: list[_Record]) -> None:
        """Sends until AWS has taken every record, ``ATTEMPTS`` times at most, and not beyond the deadline."""
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(attempt)
            if time.monotonic() > self._deadline:
                break
            try:
                self._client = self._client or self._connect()
                results = self._put(self._client, batch)
                refused = [sent for sent, result in zip(batch, results, strict=True) if result.get("ErrorCode")]
            except Exception as error:  # no endpoint, no credentials, no such stream, throttling: all may pass
                reason = str(error)
                continue
            reason = next((f"{r['ErrorCode']}: {r.get('ErrorMessage', '')}" for r in results if r.get("ErrorCode")), "")
            self._sent(_lines(batch) - _lines(refused))
            batch = refused
            if not batch:
                return
        self._lose(_lines(batch), reason or "the service stopped before they could be sent")

    def _pause(self, attempt: int) -> None:
        longest = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
        seconds = min(longest * self._chance.uniform(0.5, 1), max(0.0, self._deadline - time.monotonic()))
        if self._ending.is_set():
            time.sleep(seconds)
        else:
            self._ending.wait(seconds)

    def _to_kinesis(self, client: Any, batch: list[_Record]) -> list[dict[str, Any]]:
        # A partition key must not be empty; a request without an id may go to any shard.
        records = [{"Data": record.data, "PartitionKey": record.key or "-"} for record in batch]
        return client.put_records(StreamName=self._stream, Records=records)["Records"]

    def _to_firehose(self, client: Any, batch: list[_Record]) -> list[dict[str, Any]]:
        records = [{"Data": record.data} for record in batch]
        return client.put_record_batch(DeliveryStreamName=self._stream, Records=records)["RequestResponses"]

    def _lose(self, count: int, reason: str) -> None:
        self._dropped(count)
        log.error("%d predictions are missing from %s://%s: %s", count, self._service, self._stream, reason)


def _lines(batch: list[_Record]) -> int:
    return sum(record.lines for record in batch)
