"""A failed run's ErrorMessage: what Python or Spark said last, and how the process ended."""

from __future__ import annotations

import re
import signal

_HEAD = "Traceback (most recent call last):"
_SPARK_LOG = re.compile(r"^\d\d/\d\d/\d\d \d\d:\d\d:\d\d ")


def ending(code: int) -> str:
    """``exit code 1`` or ``killed by SIGKILL``."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def error_message(lines: list[str], code: int) -> str:
    """The exception's line after the last traceback, else the last line; never empty."""
    spoken = [line for line in lines if line.strip() and not _SPARK_LOG.match(line)]
    heads = [number for number, line in enumerate(spoken) if line.strip() == _HEAD]
    if heads:
        after = [line for line in spoken[heads[-1] + 1 :] if not line[0].isspace()]
        # Py4J says what went wrong in Java on its second line, which begins with a colon.
        said = " ".join(after[:2]) if len(after) > 1 and after[1].startswith(": ") else "".join(after[:1])
    else:
        said = spoken[-1] if spoken else "the script ended without a word"
    return f"{said[:2000]} ({ending(code)})"
