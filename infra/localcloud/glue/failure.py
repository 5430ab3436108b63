"""A failed run's ErrorMessage: the last error of Python or Spark, and how the process ended."""

from __future__ import annotations

import re
import signal

_HEAD = "Traceback (most recent call last):"
_SPARK_LOG = re.compile(r"^\d\d/\d\d/\d\d \d\d:\d\d:\d\d ")


def ending(code: int) -> str:
    """Describes an exit code: ``exit code 1`` or ``killed by SIGKILL``."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def error_message(lines: list[str], code: int) -> str:
    """Finds the reason of a failure: the exception of the last traceback, else the last line.

    A line of a stack trace is indented, and names no reason.

    Args:
        lines: The last lines that the script printed.
        code: The process's exit code.

    Returns:
        One line; never empty.
    """
    printed = [line for line in lines if line.strip() and not _SPARK_LOG.match(line)]
    heads = [number for number, line in enumerate(printed) if line.strip() == _HEAD]
    if heads:
        after = [line for line in printed[heads[-1] + 1 :] if not line[0].isspace()]
        # Py4J puts the Java exception on its second line, which begins with a colon.
        reason = " ".join(after[:2]) if len(after) > 1 and after[1].startswith(": ") else "".join(after[:1])
    else:
        reasons = [line for line in printed if not line[0].isspace()] or printed
        reason = reasons[-1] if reasons else "the script printed nothing"
    return f"{reason[:2000]} ({ending(code)})"
