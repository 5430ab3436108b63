"""What a person sees while the loop runs: stages with their time, tasks as they end, a bar where there is a count."""

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
    """Prints to a terminal, or plain lines to a file; remembers how long each stage took, in seconds."""

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    stages: list[tuple[str, float]] = field(default_factory=list)
    current: str = ""
    _status: Status | None = None

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """One stage: announced, timed; its name stays in ``current`` when it fails."""
        self.current = title
        self.console.print(f"[bold cyan]▸[/] [bold]{escape(title)}[/]")
        started = time.monotonic()
        self._status = self.console.status(escape(title)) if self.console.is_terminal else None
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
        """A line below the stage's title."""
        self.console.print(f"  {escape(text)}", style="dim")

    def doing(self, text: str) -> None:
        """What runs at this moment: shown beside the spinner, not kept."""
        if self._status:
            self._status.update(f"{escape(self.current)}: {escape(text)}")

    def task(self, name: str, state: str, seconds: float, note: str = "") -> None:
        """A task that ended."""
        tail = f" [dim]{escape(note)}[/]" if note else ""
        self.console.print(f"    {MARKS.get(state, state)} {escape(name)} [dim]{seconds:.1f} s[/]{tail}")

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator[Progress]:
        """A bar of ``total`` steps; call ``advance(task, n)`` on its only task."""
        if self._status:
            self._status.stop()
            self._status = None
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=False) as progress:
            progress.add_task(what, total=total)
            yield progress
