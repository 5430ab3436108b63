"""Starts, watches, times and ends processes. No other module starts the process of a job.

A process gets a session (process group) of its own and a clean environment with its role's credentials. It does
not outlive the server (after a kill: on Linux only). When it ends, every process that it left in its group is killed.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from infra.localcloud.background import STUCK_SECONDS, Background, PartStatus, report_exception
from infra.localcloud.config import Config, Preload
from infra.localcloud.errors import AccessDeniedError
from infra.localcloud.identity import RoleIdentity
from infra.localcloud.logs import LogStream, Shipper, Tail, write_permissions
from infra.localcloud.mounts import command
from infra.localcloud.processes import Fresh, Process
from infra.localcloud.zygotes import Launch, Zygotes

INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "LAPTOP_STACK")  # the last marks what belongs to a laptop stack
GRACE_SECONDS = 5.0
DRAIN_SECONDS = 10.0
_LOST = 255  # the exit code of a process whose end was not seen

Ending = Literal["exited", "timed_out", "stopped"]


@dataclass(frozen=True)
class ExitResult:
    """How a process ended.

    Attributes:
        kind: Whether it ended by itself, by its time limit or by a stop.
        code: The exit code; negative for a signal, as in :mod:`subprocess`.
        tail: The last lines of each of its streams, as :meth:`Job.log_tail` has them.
    """

    kind: Ending
    code: int
    tail: list[str]


class Job:
    """One running or ended process. Only :meth:`Runner.start` makes one."""

    def __init__(self, name: str, process: Process, tails: list[Tail], address: str | None) -> None:
        self.name = name
        self.address = address
        self.pid = process.pid
        self.started_at = datetime.now(UTC)
        self.ended_at: datetime | None = None
        self.result: ExitResult | None = None
        self._process = process
        self._tails = tails
        self._lock = threading.Lock()
        self._kind: Ending = "exited"
        self._gone = False
        self._ended = threading.Event()
        self._shippers: list[Shipper] = []
        self._watcher: threading.Thread | None = None

    @property
    def returncode(self) -> int | None:
        """The exit code; None while the process runs."""
        return self.result.code if self.result else None

    def poll(self) -> ExitResult | None:
        """Returns the result; None while the process runs."""
        return self.result

    def wait(self, seconds: float | None = None) -> ExitResult | None:
        """Waits for the end, including ``on_exit``.

        Args:
            seconds: The longest wait; None waits for ever.

        Returns:
            The result; None while the process still runs.
        """
        self._ended.wait(seconds)
        return self.result

    def log_tail(self, lines: int = 20) -> list[str]:
        """Returns the last lines of each stream: of stdout before those of stderr, if stderr has its own log group."""
        return [line for tail in self._tails for line in tail.last(lines)]

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Ends the process and its group: SIGTERM, and SIGKILL after ``grace`` seconds. Does not wait.

        Stopping an ended process does nothing.
        """
        self._end("stopped", grace)

    def _end(self, kind: Ending, grace: float) -> None:
        with self._lock:
            if self._gone or self._kind != "exited":
                return
            self._kind = kind
        self._signal(signal.SIGTERM)
        timer = threading.Timer(grace, self._signal, [signal.SIGKILL])
        timer.daemon = True
        timer.start()

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            if not self._gone:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, number)

    def follow(self, timeout: float | None, shippers: list[Shipper], on_exit: Callable[[ExitResult], None]) -> None:
        """Starts the job's thread: it follows the process to its end, then calls ``on_exit``.

        Args:
            timeout: The time limit in seconds; None for no limit.
            shippers: The threads that ship the output; they end before ``on_exit`` is called.
            on_exit: Receives the result.
        """
        self._shippers = shippers
        self._watcher = threading.Thread(
            target=self._watch, args=[timeout, on_exit], name=f"watch-{self.name}", daemon=True
        )
        self._watcher.start()

    def problem(self) -> str | None:
        """What is wrong with the threads of a running job; None when they work."""
        if self._ended.is_set() or self._watcher is None:
            return None
        if not self._watcher.is_alive():
            return "the thread that watches the process has ended"
        for shipper in self._shippers:
            if shipper.error:
                return f"output is lost: {shipper.error}"
        return None

    def _watch(self, timeout: float | None, on_exit: Callable[[ExitResult], None]) -> None:
        try:
            code = self._await_end(timeout)
            result = ExitResult(self._kind, code, self.log_tail(50))
        except BaseException as error:  # whoever waits for the job must learn that it is lost
            report_exception(f"watch-{self.name}")
            lost = f"the local cloud lost the process: {type(error).__name__}: {error}"
            result = ExitResult(self._kind, _LOST, [*self.log_tail(50), lost])
        self.ended_at = datetime.now(UTC)
        self.result = result
        try:
            on_exit(result)
        except BaseException:
            report_exception(f"watch-{self.name}")
        finally:
            self._ended.set()

    def _await_end(self, timeout: float | None) -> int:
        limit = threading.Timer(timeout, self._end, ["timed_out", GRACE_SECONDS]) if timeout else None
        if limit:
            limit.daemon = True
            limit.start()
        self._process.await_end()
        if limit:
            limit.cancel()
        self._signal(signal.SIGKILL)
        with self._lock:
            self._gone = True
            code = self._process.release()
        for shipper in self._shippers:
            shipper.join(DRAIN_SECONDS)
        return code


class Runner:
    """Starts jobs, and ends those that still run when the server ends."""

    def __init__(self, config: Config, identity: RoleIdentity) -> None:
        self.background = Background()
        self.background.watch(self._status)
        self._config = config
        self._identity = identity
        # Linux sends the parent-death signal when the *thread* that forked ends. Request threads end, this one stays.
        self._forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forker")
        self._forking_since: float | None = None
        self._zygotes = Zygotes(INHERITED, self._in_forker)
        self._jobs: set[Job] = set()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def closing(self) -> bool:
        """Whether the server is ending, and with it every job."""
        return self._closed

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        role_arn: str | None,
        log_group: str,
        log_stream: str,
        error_log_group: str | None = None,
        log_role_arn: str | None = None,
        timeout_seconds: float | None = None,
        on_exit: Callable[[ExitResult], None] | None = None,
        address: str | None = None,
        mounts: Mapping[str, Path] | None = None,
        preload: Preload | None = None,
    ) -> Job:
        """Starts a process and returns without waiting for it.

        Args:
            name: The name of its threads.
            argv: The command line.
            cwd: The working directory.
            env: Environment variables besides PATH, HOME, LANG, TMPDIR and the role's credentials.
            role_arn: The role whose temporary credentials the process gets; None for none.
            log_group: The CloudWatch Logs group of stdout and stderr.
            log_stream: The stream in the group.
            error_log_group: A group for stderr alone.
            log_role_arn: The role that writes the log on AWS. If it may not, the lines reach the file alone. None: the
                caller has checked it.
            timeout_seconds: The time limit; None for no limit.
            on_exit: Called once with the result, in a thread of the job, after the last line was shipped.
            address: The loopback address at which the process serves, for the caller's use.
            mounts: Folders by the path at which only this process sees them.
            preload: What its interpreter may have imported before: the process is a fork where that changes nothing.

        Raises:
            OSError: The process cannot be started.
            MountError: This machine cannot mount a folder for one process alone.
        """
        out = self._log_stream(log_group, log_stream, log_role_arn, name)
        err = self._log_stream(error_log_group, log_stream, log_role_arn, name) if error_log_group else None
        environment = {key: os.environ[key] for key in INHERITED if key in os.environ}
        environment |= self._identity.mint(role_arn) if role_arn else {}
        environment |= dict(env)
        launch = Launch(argv, cwd, environment, mounts or {})
        process, pipes = self._launch(launch, preload, separate=err is not None)
        logs = [out, err] if err else [out]
        tails = [Tail() for _ in logs]
        shippers = [Shipper(pipe, log, tail) for pipe, log, tail in zip(pipes, logs, tails, strict=True)]
        job = Job(name, process, tails, address)
        with self._lock:
            self._jobs.add(job)
            closed = self._closed

        def ended(result: ExitResult) -> None:
            with self._lock:
                self._jobs.discard(job)
            if on_exit:
                on_exit(result)

        job.follow(timeout_seconds, shippers, ended)
        if closed:
            job.stop(0)
        return job

    def _log_stream(self, group: str, stream: str, role_arn: str | None, session: str) -> LogStream:
        try:
            if role_arn:
                self._identity.require(role_arn, session, *write_permissions(self._config, group, stream))
        except AccessDeniedError:
            return LogStream(self._config, group, stream, allowed=False)
        return LogStream(self._config, group, stream)

    def close(self, grace: float = GRACE_SECONDS) -> None:
        """Ends every job and waits for them."""
        with self._lock:
            self._closed = True
            jobs = list(self._jobs)
        for job in jobs:
            job.stop(grace)
        for job in jobs:
            job.wait(grace + DRAIN_SECONDS)
        self.background.close()
        self._forker.shutdown()

    def _status(self) -> Iterator[PartStatus]:
        """The forker, and the threads of all running jobs."""
        since = self._forking_since
        age = time.monotonic() - since if since else 0.0
        yield PartStatus("forker", "stuck" if age > STUCK_SECONDS else "ok", round(age, 1))
        with self._lock:
            jobs = list(self._jobs)
        yield PartStatus("jobs", detail=f"{len(jobs)} running")
        for job in jobs:
            if problem := job.problem():
                yield PartStatus(f"job {job.name}", "failing", detail=problem)

    def _launch(self, launch: Launch, preload: Preload | None, *, separate: bool) -> tuple[Process, list[int]]:
        """Starts a process; returns it with the pipes of its output: one for both streams, or one for each."""
        pipes = [os.pipe() for _ in range(2 if separate else 1)]
        out, err = pipes[0][1], pipes[-1][1]
        try:
            process: Process | None = self._zygotes.fork(preload, launch, out, err) if preload else None
            if process is None:
                argv = command(launch.argv, launch.mounts)
                process = self._in_forker(partial(Fresh, argv, launch.cwd, dict(launch.env), out, err))
        except BaseException:
            for reader, _ in pipes:
                os.close(reader)
            raise
        finally:
            for _, writer in pipes:
                os.close(writer)
        return process, [reader for reader, _ in pipes]

    def warm(self, python: Path, preload: Preload | None) -> None:
        """Waits until a job's interpreter has imported what it is to preload; :meth:`start` then needs no time.

        That of the next job in the configuration's order imports meanwhile: a job is seldom the only one of an hour.
        """
        if preload:
            self._zygotes.warm(str(python), preload)
            if following := self._config.interpreter_after(python, preload):
                self.background.run("warm", self._warm_unless_closed, *following)

    def _warm_unless_closed(self, python: Path, preload: Preload) -> None:
        if not self._closed:
            self._zygotes.warm(str(python), preload)

    def _in_forker[Started](self, start: Callable[[], Started]) -> Started:
        return self._forker.submit(self._timed, start).result()

    def _timed[Started](self, start: Callable[[], Started]) -> Started:
        self._forking_since = time.monotonic()
        try:
            return start()
        finally:
            self._forking_since = None
