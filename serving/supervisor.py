"""The supervisor of a task: loads and verifies the bundle once, forks the workers, and replaces one that dies or hangs.

A fork shares the model's memory (copy on write), so four workers need hardly more than one, and start as fast. Until
the model is verified, a startup process answers (``serving.startup``). If the bundle cannot be served, ``/ready`` says
why for ``exit_delay_seconds``, then the task exits with a code of ``include.model.exit_codes``, so that ECS sees a
failed task and rolls back.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from typing import NoReturn

from include.model import exit_codes
from include.model.bundle import BundleError
from serving import listeners, logs, telemetry, worker
from serving.api_keys import ApiKeysError
from serving.model import LoadedModel, load
from serving.neighbours import Neighbours
from serving.settings import Settings, SettingsError
from serving.source import SourceError, SourceUnavailableError
from serving.startup import StartupApp

# More worker crashes than this within the window mean a systematic fault, so the task exits.
MAX_CRASHES, CRASH_WINDOW_SECONDS = 5, 60.0
# Interval of looking for hung workers, less than half of the smallest STUCK_SECONDS. A worker's end is seen at once.
CHECK_SECONDS = 0.2
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
log = logging.getLogger(__name__)


class StopRequested(BaseException):
    """SIGTERM or SIGINT was received. Not an ``Exception``, so that no ``except Exception`` takes it for a fault."""


def main() -> int:
    """Runs the service. Returns the exit code."""
    logs.configure()
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        log.critical("The service cannot start. %s", error)
        return exit_codes.SETTINGS
    folder = Path(tempfile.mkdtemp(prefix="nightjar-serving-"))
    try:
        telemetry.prepare(folder)
        supervisor = Supervisor(settings)
        for number in _STOP_SIGNALS:
            signal.signal(number, _on_signal)
        try:
            return supervisor.run()
        except StopRequested:
            return supervisor.stop()
    except OSError as error:
        log.critical("The service cannot start: %s", error)
        return exit_codes.SETTINGS
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _on_signal(*_: object) -> NoReturn:
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise StopRequested


class Supervisor:
    """Owns the listening sockets and the child processes.

    Raises:
        OSError: A port cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        ports = [settings.port] + ([settings.internal_port] if settings.internal_port else [])
        self._listeners = listeners.open_listeners(settings.host, ports, settings.workers)
        # Number of the worker by process id. The startup process has none.
        self._children: dict[int, int | None] = {}
        # Last heartbeat of each worker (time.monotonic()), in memory that is shared with them.
        self._heartbeats = RawArray(ctypes.c_double, settings.workers)
        self._last_check = 0.0
        self._crashes: deque[float] = deque(maxlen=MAX_CRASHES)
        # No process writes into it: when its only write end closes, the children know that the supervisor is gone.
        self._parent_pipe, self._parent_pipe_end = os.pipe()

    def run(self) -> int:
        """Serves until the service cannot go on. Returns the exit code.

        Raises:
            StopRequested: The service was asked to end.
        """
        updates, updates_end = os.pipe()
        startup = self._fork(None, lambda: self._answer_startup(updates))
        try:
            model = load(self._settings)
        except Exception as error:
            known = isinstance(error, (BundleError, SourceError))
            reason = str(error) if known else f"{type(error).__name__}: {error}"
            log.critical("The service cannot start: %s", reason, exc_info=None if known else error)
            os.write(updates_end, reason.encode()[:65_536])
            time.sleep(self._settings.exit_delay_seconds)
            self.stop()
            return exit_codes.SOURCE if isinstance(error, SourceUnavailableError) else exit_codes.BUNDLE
        # The garbage collector ignores objects that live as long as the process, so that their pages stay shared.
        gc.collect()
        gc.freeze()
        # Before the workers start: else the startup process could answer 503 after a worker has said that it is ready.
        os.kill(startup, signal.SIGTERM)
        os.waitpid(startup, 0)
        del self._children[startup]
        for number in range(self._settings.workers):
            self._start_worker(number, model)
        return self._supervise(model)

    def stop(self) -> int:
        """Ends all children: SIGTERM, then SIGKILL for those that do not end in time. Returns 0."""
        # Otherwise the kernel would accept connections that nobody answers. If one is refused, the load balancer uses
        # another task.
        listeners.close(self._listeners)
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + self._settings.shutdown_seconds + worker.FLUSH_SECONDS + 1
        while self._children and time.monotonic() < deadline:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            self._children.pop(pid, None)
            if not pid:
                time.sleep(0.02)
        for pid in self._children:
            log.error("Process %s did not end in time and is killed", pid)
            os.kill(pid, signal.SIGKILL)
        log.info("The service stops")
        return 0

    def _supervise(self, model: LoadedModel) -> int:
        # A blocked signal waits for sigtimedwait: the end of a child between the two calls below is not missed.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                self._kill_hung(time.monotonic())
                signal.sigtimedwait({signal.SIGCHLD}, CHECK_SECONDS)
                continue
            number = self._children.pop(pid)
            telemetry.worker_died(pid)
            code = os.waitstatus_to_exitcode(status)
            if code == exit_codes.SETTINGS:
                self.stop()
                return exit_codes.SETTINGS
            log.error("Worker %s ended with %s and is replaced", pid, code)
            now = time.monotonic()
            if len(self._crashes) == MAX_CRASHES and now - self._crashes[0] < CRASH_WINDOW_SECONDS:
                log.critical(
                    "%s workers ended within %s seconds: the task exits", MAX_CRASHES + 1, CRASH_WINDOW_SECONDS
                )
                self.stop()
                return exit_codes.CRASHES
            self._crashes.append(now)
            if number is not None:
                self._start_worker(number, model)

    def _kill_hung(self, now: float) -> None:
        """Kills a hung worker: requests on its open connections wait for that. The others accept its new ones."""
        limit = self._settings.stuck_seconds
        if now - self._last_check > limit / 2:
            # This process did not run either (the task or the machine was suspended), so old heartbeats mean nothing.
            self._heartbeats[:] = [now] * len(self._heartbeats)
        self._last_check = now
        for pid, number in self._children.items():
            if number is not None and now - self._heartbeats[number] > limit:
                log.error("Worker %s has not answered for %s seconds and is killed", pid, limit)
                os.kill(pid, signal.SIGKILL)

    def _start_worker(self, number: int, model: LoadedModel) -> None:
        self._heartbeats[number] = time.monotonic()
        self._fork(number, lambda: self._serve(number, model))

    def _serve(self, number: int, model: LoadedModel) -> None:
        """Runs in a worker."""

        def heartbeat() -> None:
            self._heartbeats[number] = time.monotonic()

        neighbours = Neighbours(number, self._listeners, self._heartbeats)
        worker.serve(self._settings, self._listeners[number], self._parent_pipe, model, heartbeat, neighbours)

    def _answer_startup(self, updates: int) -> None:
        """Runs in the startup process."""
        sockets = [listener for group in self._listeners for listener in group]
        worker.serve_app(StartupApp(updates), self._settings, sockets, self._parent_pipe)

    def _fork(self, number: int | None, work: Callable[[], None]) -> int:
        """Runs ``work`` in a child, which never returns from here. Returns its process id."""
        # A signal waits until this process knows its child, and until the child has handlers of its own.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        pid = os.fork()
        if pid:
            self._children[pid] = number
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
            return pid
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (*_STOP_SIGNALS, signal.SIGCHLD))
            os.close(self._parent_pipe_end)
            work()
            code = 0
        except ApiKeysError as error:
            log.critical("The service cannot start: %s", error)
            code = exit_codes.SETTINGS
        except BaseException:
            log.critical("The process failed", exc_info=True)
        finally:
            logging.shutdown()
            os._exit(code)
