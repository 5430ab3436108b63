"""The arguments of the commands, in the words of ``make``: ``DATE=2013-06-20`` and not ``--date 2013-06-20``."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from datetime import date
from typing import NoReturn

_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")


class MakeParser(argparse.ArgumentParser):
    """A parser whose errors name the variables of the Makefile.

    Attributes:
        example: How the command is called with make, without ``make``; empty for the parser of all commands.
    """

    example = ""

    def error(self, message: str) -> NoReturn:
        """Prints what is wrong, and a call that would be right; exits with code 2."""
        missing = message.removeprefix("the following arguments are required: ")
        if missing != message:
            names = [variable(name) for name in missing.split(", ")]
            message = f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} missing"
        message = _OPTION.sub(lambda match: variable(match.group()), message.removeprefix("argument "))
        example = f" For example: make {self.example}" if self.example else ""
        print(f"{message}.{example}", file=sys.stderr)
        sys.exit(2)


def variable(option: str) -> str:
    """The make variable of an option: ``RELEASE_HOLD=`` for ``--release-hold``."""
    return option.removeprefix("--").replace("-", "_").upper() + "="


def day(text: str) -> date:
    """Reads a date.

    Raises:
        ArgumentTypeError: It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it like 2013-06-20") from None


def month(text: str) -> str:
    """Reads a month.

    Raises:
        ArgumentTypeError: It is none.
    """
    try:
        return f"{date.fromisoformat(f'{text}-01'):%Y-%m}"
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no month; write it like 2026-11") from None


def workload(text: str) -> str:
    """Checks that a workload of this name can be loaded.

    Raises:
        ArgumentTypeError: There is none, or its folder has mistakes.
    """
    from include.workloads import discover

    workloads, broken = discover()
    for error in broken:
        if error.workload == text:
            raise argparse.ArgumentTypeError(f"{text} cannot be loaded:\n{error}\nCorrect the file")
    names = [found.name for found in workloads]
    if text not in names:
        near = difflib.get_close_matches(text, names, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise argparse.ArgumentTypeError(f"there is no workload {text!r}.{hint} There are: {', '.join(names)}")
    return text


def version(text: str) -> str:
    """Checks a version: a number, ``latest`` or ``previous``.

    Raises:
        ArgumentTypeError: It is none of these.
    """
    from include.pipelines.deploy.requested import read_version

    try:
        return str(read_version(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no version; give a number, previous or latest") from None


def lines(text: str) -> int:
    """Reads a number of lines.

    Raises:
        ArgumentTypeError: It is not a positive number.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines; give one, like 100")
    return int(text)
