"""Arguments of a job's script."""

from __future__ import annotations

from collections.abc import Sequence


class GlueArgumentError(Exception):
    """An argument is missing."""


# Parsed for every job, whether the script asks for them or not.
_SYSTEM = ("job-bookmark-option", "JOB_ID", "JOB_RUN_ID", "TempDir")


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, str]:  # noqa: N802 - Glue's name
    """The values of arguments of the form ``--NAME value`` or ``--NAME=value``.

    Args:
        args: ``sys.argv``.
        options: Names of arguments that must be there.

    Returns:
        The values by name, with ``_`` for ``-`` in names.

    Raises:
        GlueArgumentError: An argument is missing.
    """
    given: dict[str, str] = {}
    words = list(args[1:])
    for at, word in enumerate(words):
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in {*options, *_SYSTEM}:
            continue
        if equals:
            given[name] = value
        elif at + 1 < len(words):
            given[name] = words[at + 1]
    missing = [f"--{name}" for name in options if name not in given]
    if missing:
        raise GlueArgumentError(f"the following arguments are required: {', '.join(missing)}")
    given.setdefault("job-bookmark-option", "job-bookmark-disable")
    return {name.replace("-", "_"): value for name, value in given.items()}
