"""``make drill``: lists the drills, or runs one."""

from __future__ import annotations

import time

from rich.console import Console
from rich.markup import escape

from include.workloads import discover, load
from infra.laptop import parts, vitals
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.drills import drill
from infra.laptop.drills.table import DRILLS
from infra.laptop.drills.target import Target
from infra.laptop.exclusive import exclusively

EVERY = "all"


def command(config: LaptopConfig, alarm: str | None, workload: str | None) -> None:
    """Runs the drill of an alarm, or of each one after the other, or lists them.

    Raises:
        LaptopError: There is no such drill, the local cloud does not run, or a drill failed.
    """
    console = Console(highlight=False, soft_wrap=True)
    if alarm is None:
        for name, listed in DRILLS.items():
            console.print(f"[bold]{name:<18}[/] {escape(listed.what)}")
        console.print(
            f"\nOne of them: make drill ALARM=client-errors. Each takes two to eight minutes. ALARM={EVERY}: each."
        )
        return
    if alarm not in (*DRILLS, EVERY):
        raise LaptopError(f"There is no drill {alarm}. There are: {', '.join(DRILLS)}, and {EVERY}")
    failed = []
    with exclusively(config, f"make drill ALARM={alarm}"):
        vitals.require_running(config, (parts.CLOUD,))
        for name in DRILLS if alarm == EVERY else [alarm]:
            try:
                _one(config, name, workload, console)
            except LaptopError as error:
                if alarm != EVERY:
                    raise
                failed.append(name)
                console.print(f"[red]✘[/] {name}: {escape(str(error))}")
    if failed:
        raise LaptopError(
            f"{len(failed)} of {len(DRILLS)} drills failed, each for the reason above: {', '.join(failed)}"
        )


def _one(config: LaptopConfig, alarm: str, workload: str | None, console: Console) -> None:
    """Runs one drill, and says how it went."""
    started = time.monotonic()

    def say(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - started:5.0f} s[/]  {escape(text)}")

    used = load(workload or discover()[0][0].name)
    say(f"workload {used.name}")
    result = drill.run(Target(config, Aws(config), used, say), alarm, DRILLS[alarm])
    console.print(
        f"[green]✔[/] {alarm} fired after {result.fired:.0f} s, was told, and cleared after {result.cleared:.0f} s."
    )
