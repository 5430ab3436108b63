"""Progress on the terminal: stages with their duration, tasks when they end, a bar where the total is known."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.status import Status

MARKS = {
    "success": "[green]✔[/]",
    "failed": "[red]✘[/]",
    "upstream_failed": "[red]·[/]",
    "skipped": "[yellow]↷[/]",
    "removed": "·",
}


@dataclass
class Reporter:
    """Prints progress to a terminal, or as plain lines to a file.

    Attributes:
        stages: Title and seconds of each stage that succeeded.
        current: Title of the stage that runs or failed.
        prefix: What each line below a stage's title begins with.
        is_alone: Whether nothing else prints: only then is there a spinner or a bar.
    """

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    stages: list[tuple[str, float]] = field(default_factory=list)
    current: str = ""
    prefix: str = ""
    is_alone: bool = True
    _status: Status | None = None
    _started: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds since this reporter was made."""
        return time.monotonic() - self._started

    def of(self, name: str) -> Reporter:
        """Returns a reporter of one of several things that happen at the same time; its stages are among these."""
        return Reporter(self.console, self.stages, prefix=f"{name}: ", is_alone=False)

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Announces a stage and measures its duration."""
        self.current = title
        self.console.print(f"[bold cyan]▸[/] [bold]{escape(title)}[/]")
        started = time.monotonic()
        self._status = self.console.status(escape(title)) if self.console.is_terminal and self.is_alone else None
        if self._status:
            self._status.start()
        try:
            yield
        except BaseException:
            self.console.print(f"  [red]✘ {escape(title)} failed after {time.monotonic() - started:.1f} s[/]")
            raise
        finally:
            if self._status:
                self._status.stop()
                self._status = None
        seconds = time.monotonic() - started
        self.stages.append((title, seconds))
        self.console.print(f"  [green]✔[/] {escape(title)} [dim]{seconds:.1f} s[/]")

    def say(self, text: str) -> None:
        """Prints a line below the stage's title."""
        self.console.print(f"  {escape(self.prefix + text)}", style="dim")

    def doing(self, text: str) -> None:
        """Shows what runs at this moment beside the spinner. Nothing is printed where there is no terminal."""
        if self._status:
            self._status.update(f"{escape(self.current)}: {escape(text)}")

    def task(self, name: str, state: str, seconds: float, note: str = "") -> None:
        """Prints a task that ended, with Airflow's ``state`` of it."""
        tail = f" [dim]{escape(note)}[/]" if note else ""
        self.console.print(f"    {MARKS.get(state, state)} {escape(self.prefix + name)} [dim]{seconds:.1f} s[/]{tail}")

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator[Progress]:
        """Shows a bar of ``total`` steps. Advance its only task: ``bar.advance(bar.task_ids[0])``."""
        if self._status:
            self._status.stop()
            self._status = None
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=False, disable=not self.is_alone) as progress:
            progress.add_task(what, total=total)
            yield progress
