"""Runs commands side by side and prints the output of each when it has ended."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = Path(os.environ.get("NIGHTJAR_HOME") or ROOT / ".nightjar").resolve()


@dataclass(frozen=True)
class Step:
    """A command that runs in the root of the repository; ``env`` is added to this process's environment."""

    name: str
    argv: tuple[str | Path, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How a step ended, after how long, and how much of that it and its processes worked (CPU)."""

    name: str
    code: int
    seconds: float
    cpu_seconds: float = 0


def run(steps: Iterable[Step], at_once: int) -> list[Result]:
    """Runs every step, ``at_once`` at a time in the order given, whether or not others fail.

    Returns:
        The results, in the order in which the steps ended.
    """
    results = []
    with ThreadPoolExecutor(at_once) as pool:
        for future in as_completed([pool.submit(_captured, step) for step in steps]):
            result, output = future.result()
            print(f"\n=== {result.name} ({result.seconds:.1f} s)\n{output}".rstrip(), flush=True)
            results.append(result)
    return results


def _captured(step: Step) -> tuple[Result, str]:
    print(f"--- {step.name} begins", flush=True)
    started = time.monotonic()
    with subprocess.Popen(
        step.argv,
        cwd=ROOT,
        env={**os.environ, **step.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    return Result(step.name, process.returncode, seconds, usage.ru_utime + usage.ru_stime), output
