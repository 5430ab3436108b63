"""The parent of a task's processes: loads and proves the bundle once, forks those that serve it, and replaces one that dies or
hangs.

A fork shares the model's memory (copy on write), so four processes need hardly more than one, and start as fast as one. Until
the model is proven a child answers from :mod:`serving.startup`. A bundle that cannot be proven is told on ``/ready`` for
``exit_delay_seconds``, then the task exits with :data:`EXIT_BUNDLE`, so that ECS sees a failed task and rolls back.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import shutil
import signal
import socket
import tempfile
import time
from collections import deque
from collections.abc import Callable
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from typing import NoReturn

from include.model.bundle import BundleError
from serving import logs, telemetry, worker
from serving.api_keys import CallersError
from serving.model import LoadedModel, load
from serving.settings import Settings, SettingsError
from serving.source import SourceError
from serving.startup import WaitingRoom

EXIT_SETTINGS = 2
EXIT_BUNDLE = 3
EXIT_CRASHES = 4
# So many deaths of processes within so many seconds are no accident.
MOST_CRASHES, CRASH_SECONDS = 5, 60.0
BACKLOG = 2048
# How often the parent looks after its children.
LOOK_SECONDS = 0.1
log = logging.getLogger("serving.supervisor")


class Stop(BaseException):
    """SIGTERM or SIGINT came. Not an Exception: nothing on the way may take it for a fault."""


def main() -> int:
    """Runs the service to its end; the exit code."""
    logs.configure()
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        log.critical("The service cannot start. %s", error)
        return EXIT_SETTINGS
    folder = Path(tempfile.mkdtemp(prefix="nightjar-serving-"))
    try:
        telemetry.prepare(folder)
        parent = Parent(settings)
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGINT, _stop)
        try:
            return parent.run()
        except Stop:
            return parent.stop()
    except OSError as error:
        log.critical("The service cannot start: %s", error)
        return EXIT_SETTINGS
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stop(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise Stop


class Parent:
    """The sockets and the children."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        ports = [settings.port] + ([settings.internal_port] if settings.internal_port else [])
        for port in ports:
            _listen(settings.host, port, shared=False).close()
        # A socket of its own for each process: the kernel then spreads connections over them evenly. They stay open here, so
        # what waits in the queue of a process that died is answered by the one that takes its place.
        self._sockets = [[_listen(settings.host, port, shared=True) for port in ports] for _ in range(settings.workers)]
        self._children: dict[int, int] = {}
        # When each process's event loop last turned (time.monotonic()), in memory that is shared with it.
        self._beats = RawArray(ctypes.c_double, settings.workers)
        self._looked = 0.0
        self._crashes: deque[float] = deque(maxlen=MOST_CRASHES)
        self._lifeline, self._held = os.pipe()

    def run(self) -> int:
        """Until the service cannot go on; a wanted end is raised as :class:`Stop`."""
        news, tell = os.pipe()
        sockets = [one for group in self._sockets for one in group]
        waiting = self._fork(lambda: worker.run(WaitingRoom(news), self._settings, sockets, self._lifeline))
        self._children[waiting] = -1
        try:
            model = load(self._settings)
        except Exception as error:
            known = isinstance(error, (BundleError, SourceError))
            reason = str(error) if known else f"{type(error).__name__}: {error}"
            log.critical("The service cannot start: %s", reason, exc_info=None if known else error)
            os.write(tell, reason.encode()[:65_536])
            time.sleep(self._settings.exit_delay_seconds)
            self.stop()
            return EXIT_BUNDLE
        # Objects that live as long as the process are not looked at by the collector again, and their pages stay shared.
        gc.collect()
        gc.freeze()
        # Before the others begin: a connection that the waiting room still took after /ready said yes would be refused there.
        os.kill(waiting, signal.SIGTERM)
        os.waitpid(waiting, 0)
        del self._children[waiting]
        for number in range(self._settings.workers):
            self._serve(number, model)
        return self._supervise(model)

    def stop(self) -> int:
        """SIGTERM to all children, and SIGKILL to what has not ended in time. 0: an end that was asked for."""
        # Else the kernel would go on taking connections that nobody answers; a refused one makes the balancer ask elsewhere.
        for listening in (one for group in self._sockets for one in group):
            listening.close()
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
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                self._kill_stuck(time.monotonic())
                time.sleep(LOOK_SECONDS)
                continue
            number = self._children.pop(pid)
            telemetry.worker_died(pid)
            code = os.waitstatus_to_exitcode(status)
            if code == EXIT_SETTINGS:
                self.stop()
                return EXIT_SETTINGS
            log.error("Process %s ended with %s; another takes its place", pid, code)
            now = time.monotonic()
            if len(self._crashes) == MOST_CRASHES and now - self._crashes[0] < CRASH_SECONDS:
                log.critical("%s processes ended within %s seconds: the task gives up", MOST_CRASHES + 1, CRASH_SECONDS)
                self.stop()
                return EXIT_CRASHES
            self._crashes.append(now)
            self._serve(number, model)

    def _kill_stuck(self, now: float) -> None:
        """A process that hangs keeps its connections and its share of the new ones: no health check tells it from the others."""
        limit = self._settings.stuck_seconds
        if now - self._looked > limit / 2:
            # This process did not run either (it was stopped, or the machine was): the silence says nothing.
            self._beats[:] = [now] * len(self._beats)
        self._looked = now
        for pid, number in self._children.items():
            if now - self._beats[number] > limit:
                log.error("Process %s has not answered for %s seconds and is killed", pid, limit)
                os.kill(pid, signal.SIGKILL)

    def _serve(self, number: int, model: LoadedModel) -> None:
        mine = self._sockets[number]
        self._beats[number] = time.monotonic()

        def beat() -> None:
            self._beats[number] = time.monotonic()

        pid = self._fork(lambda: worker.serve(self._settings, mine, self._lifeline, model, beat))
        self._children[pid] = number

    def _fork(self, work: Callable[[], None]) -> int:
        """Runs ``work`` in a child; the child never returns from here."""
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            os.close(self._held)
            work()
            code = 0
        except CallersError as error:
            log.critical("The service cannot start: %s", error)
            code = EXIT_SETTINGS
        except Stop:
            code = 0
        except BaseException:
            log.critical("The process failed", exc_info=True)
        finally:
            logging.shutdown()
            os._exit(code)


def _listen(host: str, port: int, *, shared: bool) -> socket.socket:
    """Bound and listening. Only one that is not ``shared`` finds out that another service has the port. Errors: OSError that
    names the address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from None
    listening.listen(BACKLOG)
    return listening
