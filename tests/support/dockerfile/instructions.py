"""Parses a Dockerfile: stages, instructions, flags and variables. What it does not know, it refuses."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

_KNOWN = "FROM ARG ENV RUN COPY WORKDIR USER CMD ENTRYPOINT HEALTHCHECK EXPOSE STOPSIGNAL LABEL VOLUME"
_FLAG = re.compile(r"--([a-z-]+)=(\S+)\s+")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class DockerfileError(ValueError):
    """The Dockerfile is wrong, or uses what this runner cannot execute. The text says where and what to do."""


@dataclass(frozen=True)
class Instruction:
    """One instruction, with its line continuations joined and its flags taken off."""

    name: str
    arguments: str
    flags: tuple[tuple[str, str], ...]
    line: int

    def flag(self, name: str) -> str | None:
        """The value of a flag such as ``--from``, if it is given."""
        return next((value for key, value in self.flags if key == name), None)

    def words(self) -> list[str]:
        """The arguments as a list: the elements of the JSON form, or the words of the plain form."""
        return exec_form(self.arguments) or shlex.split(self.arguments)


@dataclass(frozen=True)
class Stage:
    """What begins with one FROM.

    Attributes:
        name: Its name after AS, or its index.
        image: The image or stage that it starts from, with variables.
        instructions: The others.
    """

    name: str
    image: str
    instructions: list[Instruction] = field(default_factory=list)


@dataclass(frozen=True)
class Dockerfile:
    """A parsed Dockerfile; ``arguments`` are the ARGs before the first FROM."""

    arguments: Mapping[str, str]
    stages: list[Stage]


def parse(text: str) -> Dockerfile:
    """Parses the text of a Dockerfile.

    Raises:
        DockerfileError: An instruction is unknown, or there is no stage.
    """
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for instruction in _instructions(text):
        if instruction.name == "FROM":
            image, *alias = instruction.arguments.split()
            stages.append(Stage(alias[1] if alias else str(len(stages)), image))
        elif stages:
            stages[-1].instructions.append(instruction)
        elif instruction.name == "ARG":
            arguments.update(pairs(instruction.arguments))
        else:
            raise DockerfileError(f"Line {instruction.line}: {instruction.name} comes before the first FROM. Move it.")
    if not stages:
        raise DockerfileError("The Dockerfile has no FROM. Add one.")
    return Dockerfile(arguments, stages)


def pairs(arguments: str) -> dict[str, str]:
    """``A=1 B="two words"`` as a mapping; a name without ``=`` has the value ``""``."""
    split = [word.partition("=") for word in shlex.split(arguments)]
    return {name: value for name, _, value in split}


def exec_form(arguments: str) -> list[str] | None:
    """The elements of ``["program", "argument"]``, or None if the arguments are not in the JSON form."""
    if not arguments.startswith("["):
        return None
    parsed: list[str] = json.loads(arguments)
    return parsed


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Fills in ``$NAME`` and ``${NAME}``; one that is not set becomes nothing, as in Docker."""
    return _VARIABLE.sub(lambda match: variables.get(match[1] or match[2], ""), text)


def _instructions(text: str) -> list[Instruction]:
    found = []
    for number, logical in _logical_lines(text):
        name, _, arguments = logical.partition(" ")
        name = name.upper()
        if name not in _KNOWN.split():
            raise DockerfileError(f"Line {number}: this runner does not know {name}. Teach it, or do without.")
        arguments, flags = arguments.strip(), []
        while name != "HEALTHCHECK" and (match := _FLAG.match(arguments)):
            flags.append((match[1], match[2]))
            arguments = arguments[match.end() :]
        found.append(Instruction(name, arguments, tuple(flags), number))
    return found


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Each instruction on one line, with the number of its first line."""
    lines: list[tuple[int, str]] = []
    open_line = False
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        continues = line.endswith("\\")
        part = line.removesuffix("\\").rstrip()
        if open_line:
            first, before = lines[-1]
            lines[-1] = (first, f"{before} {part}")
        else:
            lines.append((number, part))
        open_line = continues
    return lines
