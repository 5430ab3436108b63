"""The server's background threads. None of them ends unnoticed: each reports its state to the health check.

A loop whose step raises prints the error and continues after a pause. A thread that has ended is started again.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any, Literal

STUCK_SECONDS = 30.0
MAX_PAUSE_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 0.2

State = Literal["ok", "failing", "stuck", "dead"]


@dataclass(frozen=True)
class PartStatus:
    """The state of one background thread or child process.

    Attributes:
        state: ``failing``: the last attempt raised; ``stuck``: no heartbeat for too long; ``dead``: it has ended.
        heartbeat_seconds: Seconds since it last started or finished a step; None for parts without steps.
        restarts: How often it was started again.
        errors: How many of its steps have raised.
        detail: The last error, or what is wrong.
    """

    name: str
    state: State = "ok"
    heartbeat_seconds: float | None = None
    restarts: int = 0
    errors: int = 0
    detail: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The members that have a value."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class Loop:
    """A thread that calls ``step`` again and again. Only :meth:`Background.loop` makes one.

    Args:
        name: Its name in the health check.
        step: Returns the seconds until its next call; :meth:`wake` calls it earlier.
        may_step: While it is not set, no step begins.
        stuck_seconds: A step that takes longer, or begins this much too late, counts as stuck.
    """

    def __init__(
        self, name: str, step: Callable[[], float], may_step: threading.Event, stuck_seconds: float = STUCK_SECONDS
    ) -> None:
        self.name = name
        self._step = step
        self._may_step = may_step
        self._stuck_seconds = stuck_seconds
        self._wake = threading.Event()
        self._closed = False
        self._restarts = self._errors = self._failures_in_a_row = 0
        self._error: str | None = None
        self._beat = time.monotonic()
        self._due = self._beat  # when the running step began, or when the next one is due
        self._thread = self._start()

    def wake(self) -> None:
        """Makes the next step begin now."""
        self._wake.set()

    def close(self) -> None:
        """Ends the thread after its present step."""
        self._closed = True
        self._wake.set()

    def revive(self) -> None:
        """Starts the thread again if it has ended."""
        if not self._closed and not self._thread.is_alive():
            self._restarts += 1
            report(f"The thread {self.name} had ended and was started again.")
            self._thread = self._start()

    def status(self) -> PartStatus:
        """Its present state."""
        now = time.monotonic()
        age = now - self._beat
        state: State = "ok"
        detail = self._error if self._failures_in_a_row else None
        if not self._thread.is_alive():
            state, detail = "dead", self._error or "the thread has ended"
        elif now - self._due > self._stuck_seconds:
            state, detail = "stuck", f"no heartbeat for {age:.0f} s"
        elif self._failures_in_a_row:
            state = "failing"
        return PartStatus(self.name, state, round(age, 1), self._restarts, self._errors, detail)

    def _start(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        while not self._closed:
            self._may_step.wait()
            self._wake.clear()
            self._beat = self._due = time.monotonic()
            try:
                pause = self._step()
                self._failures_in_a_row = 0
            except BaseException as error:  # SystemExit would end the thread without a word
                pause = self._failed(error)
            self._beat = time.monotonic()
            self._due = self._beat + pause
            self._wake.wait(pause)

    def _failed(self, error: BaseException) -> float:
        self._error = f"{type(error).__name__}: {error}"  # first: a status that says "failing" has it
        self._errors += 1
        self._failures_in_a_row += 1
        report_exception(self.name)
        return min(MAX_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (self._failures_in_a_row - 1))


class Pool:
    """Threads that run functions. An error is printed and counted; the pool continues.

    Args:
        name: Its name in the health check.
        size: The number of threads.
        stuck_seconds: A function that runs longer counts as stuck; None for functions that may take any time.
    """

    def __init__(self, name: str, size: int, stuck_seconds: float | None = STUCK_SECONDS) -> None:
        self.name = name
        self._executor = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._stuck_seconds = stuck_seconds
        self._lock = threading.Lock()
        self._running: dict[object, float] = {}
        self._errors = 0
        self._error: str | None = None

    def submit(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Runs the function in one of the threads, as soon as one is free."""
        with suppress(RuntimeError):  # the pool was closed, because the server ends
            self._executor.submit(self._call, function, arguments)

    def close(self) -> None:
        """Runs nothing that has not begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def revive(self) -> None:
        """Does nothing: the threads of an executor do not end by an error."""

    def status(self) -> PartStatus:
        """Its present state; ``errors`` counts the functions that raised."""
        now = time.monotonic()
        with self._lock:
            ages = [now - since for since in self._running.values()]
        longest = max(ages, default=0.0)
        if self._stuck_seconds is not None and longest > self._stuck_seconds:
            return PartStatus(self.name, "stuck", round(longest, 1), 0, self._errors, f"busy for {longest:.0f} s")
        return PartStatus(self.name, errors=self._errors, detail=self._error)

    def _call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        key = object()
        with self._lock:
            self._running[key] = time.monotonic()
        try:
            function(*arguments)
        except BaseException as error:
            self._errors += 1
            self._error = f"{type(error).__name__}: {error}"
            report_exception(self.name)
        finally:
            with self._lock:
                del self._running[key]


class Background:
    """All background threads of the server, and the checks of its child processes."""

    def __init__(self) -> None:
        self._parts: list[Loop | Pool] = []
        self._probes: list[Callable[[], Iterable[PartStatus]]] = []
        self._lock = threading.Lock()
        self._errors = 0
        self._error: str | None = None
        self._may_step = threading.Event()
        self._may_step.set()

    @contextmanager
    def held(self) -> Iterator[None]:
        """No step of a loop begins in the block, in which the state is restored: an object may be half of itself."""
        self._may_step.clear()
        try:
            yield
        finally:
            self._may_step.set()

    def loop(self, name: str, step: Callable[[], float], stuck_seconds: float = STUCK_SECONDS) -> Loop:
        """Starts a thread that calls ``step`` until it is closed; see :class:`Loop`."""
        return self._add(Loop(name, step, self._may_step, stuck_seconds))

    def pool(self, name: str, size: int, stuck_seconds: float | None = STUCK_SECONDS) -> Pool:
        """Makes a pool of threads; see :class:`Pool`."""
        return self._add(Pool(name, size, stuck_seconds))

    def run(self, name: str, function: Callable[..., Any], *arguments: Any) -> threading.Thread:
        """Runs a function once in a thread of its own. An error is printed and counted."""

        def call() -> None:
            try:
                function(*arguments)
            except BaseException as error:
                self._errors += 1
                self._error = f"{name}: {type(error).__name__}: {error}"
                report_exception(name)

        thread = threading.Thread(target=call, name=name, daemon=True)
        thread.start()
        return thread

    def watch(self, probe: Callable[[], Iterable[PartStatus]]) -> None:
        """Adds a check, such as that of a child process, to :meth:`status`."""
        with self._lock:
            self._probes.append(probe)

    def remove(self, part: Loop | Pool) -> None:
        """Closes a part and takes it out of the health check."""
        part.close()
        with self._lock, suppress(ValueError):
            self._parts.remove(part)

    def revive(self) -> None:
        """Starts every thread again that has ended."""
        with self._lock:
            parts = list(self._parts)
        for part in parts:
            part.revive()

    def status(self) -> list[PartStatus]:
        """The state of every part."""
        with self._lock:
            parts, probes = list(self._parts), list(self._probes)
        found = [part.status() for part in parts]
        for probe in probes:
            found += _probed(probe)
        return [*found, PartStatus("one-off threads", errors=self._errors, detail=self._error)]

    def close(self) -> None:
        """Ends all loops and pools."""
        with self._lock:
            parts = list(self._parts)
        for part in parts:
            part.close()

    def _add[P: (Loop, Pool)](self, part: P) -> P:
        with self._lock:
            self._parts.append(part)
        return part


def report(text: str) -> None:
    """Prints a line to the server's log. A log that cannot be written to stops no thread."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - the server's log


def report_exception(name: str) -> None:
    """Prints the exception that is being handled, and the name of its thread."""
    report(f"Background thread {name}:\n{traceback.format_exc()}")


def _probed(probe: Callable[[], Iterable[PartStatus]]) -> list[PartStatus]:
    try:
        return list(probe())
    except Exception as error:  # a broken check must not hide the others
        name = getattr(probe, "__qualname__", repr(probe))
        return [PartStatus(name, "failing", detail=f"{type(error).__name__}: {error}")]
