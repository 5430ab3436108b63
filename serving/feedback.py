"""Outcomes that callers report: each becomes a label event on the workload's stream, before it is acknowledged.

``POST /feedback`` waits for Kinesis, so 202 means that the event is stored. It has threads and a limit of its own, and
predictions use neither: a slow stream makes feedback slow, and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from include.lake.instants import format_instant, parse_instant
from include.model.request import FieldProblem, shown
from include.workloads import FieldSpec, WorkloadError, load
from serving.errors import HttpError, invalid
from serving.request_ids import valid_request_id
from serving.settings import Settings
from serving.telemetry.streams import KinesisStream, Stream, StreamRecord

MAX_IN_PROGRESS = 64
THREADS = 8
PUT_SECONDS = 4.0
# How far a caller's clock may be ahead; ingestion allows as much (include.pipelines.ingest.entries).
CLOCK_SKEW = timedelta(minutes=5)
LONGEST_KEY = 256
MEMBERS = ("request_id", "key", "time", "outcome")

log = logging.getLogger(__name__)


class LabelEvent(NamedTuple):
    """The event type whose role is label, and the fields of its payload."""

    name: str
    fields: Mapping[str, FieldSpec]


@dataclass(frozen=True)
class Accepted:
    """A label event that is on the stream."""

    event_type: str
    key: str
    recorded_at: str


class Feedback:
    """Puts outcomes on a workload's stream.

    Args:
        stream: The stream of the workload's events.
        label: The label event.
        present: Returns the time.
        put_seconds: How long a put may take.
    """

    def __init__(
        self,
        stream: Stream,
        label: LabelEvent,
        present: Callable[[], datetime] = lambda: datetime.now(UTC),
        put_seconds: float = PUT_SECONDS,
    ) -> None:
        self._stream, self._label, self._present, self._seconds = stream, label, present, put_seconds
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="feedback")
        self._in_progress = 0

    @classmethod
    def open(cls, settings: Settings) -> Feedback | None:
        """Returns the feedback of a service, or None if ``FEEDBACK_STREAM`` is not set or the image lacks the workload.

        A workload that does not load is logged, and predictions go on: they use the bundle only.
        """
        if settings.feedback_stream is None:
            return None
        try:
            workload = load(settings.workload)
        except WorkloadError as error:
            log.warning("No feedback is accepted, because the image's workload cannot be used: %s", error)
            return None
        label = LabelEvent(workload.label.event, workload.events[workload.label.event].fields)
        return cls(KinesisStream(settings.feedback_stream), label)

    async def accept(self, body: Any) -> Accepted:
        """Checks an outcome and puts it on the stream.

        Args:
            body: The decoded body of the request.

        Raises:
            HttpError: 422: it is no outcome of this workload. 503: it could not be stored; the caller sends it again.
        """
        present = self._present()
        event = self._event(body, present)
        if self._in_progress >= MAX_IN_PROGRESS:
            raise _unavailable("too much feedback is in progress")
        self._in_progress += 1
        try:
            put = asyncio.get_running_loop().run_in_executor(self._threads, self._put, event)
            (refusal,) = await asyncio.wait_for(put, self._seconds)
        except Exception as error:  # no endpoint, no credentials, no such stream, throttling, time-out: send it again
            reason = str(error) or type(error).__name__
            log.warning("Feedback could not be put on %s: %s", self._stream.uri, reason)
            raise _unavailable("the outcome could not be stored") from None
        finally:
            self._in_progress -= 1
        if refusal:
            log.warning("Feedback was refused by %s: %s", self._stream.uri, refusal)
            raise _unavailable("the outcome could not be stored")
        return Accepted(self._label.name, event["key"], event["recorded_at"])

    def close(self) -> None:
        """Ends the threads; what is in progress is finished by them."""
        self._threads.shutdown(wait=False)

    def _put(self, event: dict[str, Any]) -> list[str]:
        data = bytearray(json.dumps(event, separators=(",", ":")).encode())
        return self._stream.put([StreamRecord(event["key"], data)])

    def _event(self, body: Any, present: datetime) -> dict[str, Any]:
        """Returns the label event of a body.

        Raises:
            HttpError: 422, with each field at fault.
        """
        problems = [*self._problems(body, present)]
        if problems:
            raise invalid([(None, problem) for problem in problems])
        return {
            "event_type": self._label.name,
            "key": body.get("key") or body["request_id"],
            "event_time": body["time"],
            "recorded_at": format_instant(present),
            "request_id": body["request_id"],
            "payload": body["outcome"],
        }

    def _problems(self, body: Any, present: datetime) -> list[FieldProblem]:
        if not isinstance(body, dict):
            return [FieldProblem("", f"must be an object with {', '.join(MEMBERS)}")]
        found = [FieldProblem(shown(name), "is not a field of feedback") for name in body if name not in MEMBERS]
        request_id = body.get("request_id")
        if not isinstance(request_id, str) or not valid_request_id(request_id.encode("utf-8", "replace")):
            found.append(
                FieldProblem("request_id", "must be the id in the header x-request-id of the prediction's answer")
            )
        if (key := body.get("key")) is not None and not _is_key(key):
            found.append(FieldProblem("key", f"must be a text of 1 to {LONGEST_KEY} characters"))
        if problem := _time_problem(body.get("time"), present):
            found.append(FieldProblem("time", problem))
        return [*found, *self._outcome_problems(body.get("outcome"))]

    def _outcome_problems(self, outcome: Any) -> list[FieldProblem]:
        fields = self._label.fields
        if not isinstance(outcome, dict):
            return [FieldProblem("outcome", f"must be an object with the fields {', '.join(fields)}")]
        unknown = [name for name in outcome if name not in fields]
        found = [FieldProblem(f"outcome.{shown(name)}", f"is not a field of {self._label.name}") for name in unknown]
        checked = ((name, spec.check(outcome.get(name))[1]) for name, spec in fields.items())
        return [*found, *(FieldProblem(f"outcome.{name}", problem) for name, problem in checked if problem)]


def _is_key(value: Any) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_KEY:
        return False
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in value)  # half a surrogate pair is no text


def _time_problem(value: Any, present: datetime) -> str | None:
    try:
        happened = parse_instant(value)
    except ValueError:
        return "must be an ISO 8601 time with an offset, like 2026-03-01T10:15:00Z: when the outcome happened"
    return "is in the future" if happened > present + CLOCK_SKEW else None


def _unavailable(reason: str) -> HttpError:
    return HttpError(503, f"{reason}; send it again", headers={"retry-after": "1"})
