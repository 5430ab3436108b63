"""One synchronous function from the headers and the body of a prediction to its answer, or to "not sure".

It accepts what the middleware and the fast path would answer with a 200, reports the same to telemetry, and leaves
everything else to them: they alone reject. A request that it leaves has changed nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from serving.api_keys import Caller
from serving.fast_path import FastPath
from serving.logs import request_id as current_request_id
from serving.request_ids import new_request_ids, valid_request_id
from serving.state import State
from serving.telemetry import Finished
from serving.validation import LONGEST_LENGTH


class DirectPredict:
    """Answers ``POST /predict`` of one worker."""

    method, path = b"POST", b"/predict"

    def __init__(self, state: State) -> None:
        self._predict_now = FastPath(state).predict_now
        self._api_keys = state.api_keys
        self._finished = state.telemetry.finished
        self._max_body_bytes = state.settings.max_body_bytes
        self._new_id = new_request_ids()

    def __call__(self, fields: Mapping[bytes, bytes], body: bytes) -> bytes | None:
        """Returns the answer's header lines and body, or ``None`` (``serving.direct_protocol``)."""
        started = time.perf_counter()
        if (
            fields.get(b"content-type") != b"application/json"
            or b"content-encoding" in fields
            or len(body) > self._max_body_bytes
            or len(fields[b"content-length"]) > LONGEST_LENGTH
        ):
            return None
        caller: Caller | None = None
        if self._api_keys is not None:
            caller = self._api_keys.identify(fields.get(b"x-api-key"))
            if caller is None or caller.admit(time.monotonic()) > 0:
                return None
        request_id = valid_request_id(fields.get(b"x-request-id", b"")) or self._new_id()
        answer = self._predict(body, request_id)
        if answer is None:
            if caller is not None:
                caller.give_back()
            return None
        length = len(answer)
        name, trace = "" if caller is None else caller.name, fields.get(b"x-amzn-trace-id", b"")
        now = time.perf_counter()
        # By position, in the order of the fields: by name, an event costs seven times as much.
        of_request = ("POST", "/predict", "/predict", 200, started, now, request_id, name, trace, len(body), length)
        self._finished(Finished(*of_request, 0, "", "", False, True))
        head = b"content-type: application/json\r\ncontent-length: %d\r\nx-request-id: %b\r\n\r\n"
        return head % (length, request_id.encode()) + answer

    def _predict(self, body: bytes, request_id: str) -> bytes | None:
        token = current_request_id.set(request_id)
        try:
            return self._predict_now(body, request_id)
        except Exception:  # it happens again to the middleware, which logs it
            return None
        finally:
            current_request_id.reset(token)
