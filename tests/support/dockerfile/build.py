"""Executes the instructions of a Dockerfile in scratch roots, one for each stage."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.support.dockerfile import base, pip_settings
from tests.support.dockerfile.context import Context
from tests.support.dockerfile.instructions import (
    Dockerfile,
    DockerfileError,
    Instruction,
    Stage,
    exec_form,
    expand,
    pairs,
)
from tests.support.dockerfile.sandbox import Bind, Sandbox

_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}
# The base by digest: an image that can be replaced under its name is refused.
_BASE = re.compile(r"python:3\.12-slim-bookworm@sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Image:
    """A stage that was built: its root folder, and what an engine keeps as the image's configuration."""

    root: Path
    key: str
    environment: Mapping[str, str] = field(default_factory=lambda: dict(_ENVIRONMENT))
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    stop_signal: str = "SIGTERM"

    def variables(self) -> dict[str, str]:
        """What ``$NAME`` means in an instruction: arguments, then the environment."""
        return {**self.arguments, **self.environment}


class Builder:
    """Builds Dockerfiles with one context.

    Args:
        context: What COPY sees.
        folder: Where the roots are kept. While instructions and files are the same, a root is used again.
    """

    def __init__(self, context: Context, folder: Path) -> None:
        self._context = context
        self._folder = folder
        self._cache = folder / "cache"
        self._cache.mkdir(parents=True, exist_ok=True)

    def build(
        self, dockerfile: Dockerfile, arguments: Mapping[str, str] | None = None, last: str | None = None
    ) -> Image:
        """Builds the stages in order.

        Args:
            dockerfile: What to build.
            arguments: Values of its ARGs (``--build-arg``).
            last: Stage to stop after; by default the last one.

        Returns:
            The image of the last stage.

        Raises:
            DockerfileError: An instruction failed, or the runner cannot execute it.
        """
        built: dict[str, Image] = {}
        image = None
        for stage in dockerfile.stages:
            image = built[stage.name] = self._stage(stage, dockerfile, built, arguments or {})
            if stage.name == last:
                break
        assert image
        return image

    def prune(self, keep: set[Path]) -> None:
        """Deletes all roots but these, which the next run uses again."""
        for root in {*self._folder.iterdir()} - keep - {self._cache}:
            shutil.rmtree(root)

    def _stage(
        self, stage: Stage, dockerfile: Dockerfile, built: Mapping[str, Image], arguments: Mapping[str, str]
    ) -> Image:
        name = expand(stage.image, {**dockerfile.arguments, **arguments})
        if name not in built and not _BASE.fullmatch(name):
            raise DockerfileError(f"FROM {name}: not a stage, and not python:3.12-slim-bookworm by digest.")
        start = built[name] if name in built else self._base()
        image = replace(start, root=Path(), arguments={})
        for instruction in stage.instructions:
            image = _configure(image, instruction, arguments)
            text = repr(replace(instruction, line=0))  # a stage that both Dockerfiles have is built once
            image = replace(image, key=_digest(image.key, text, self._inputs(image, instruction, built)))
        root = self._root(image.key, lambda folder: self._fill(folder, stage, start, built, arguments))
        return replace(image, root=root)

    def _base(self) -> Image:
        key = _digest("base", Path(base.__file__).read_text())
        return Image(self._root(key, base.make), key)

    def _root(self, key: str, fill: Callable[[Path], None]) -> Path:
        """The root with this key: the one that exists, or a new one."""
        root = self._folder / key
        if not root.exists():
            draft = self._folder / f"{key}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            fill(draft)
            draft.rename(root)
        return root

    def _inputs(self, image: Image, instruction: Instruction, built: Mapping[str, Image]) -> str:
        """What an instruction reads besides its text."""
        if instruction.name == "RUN":
            return repr(sorted(image.variables().items()))
        if instruction.name != "COPY":
            return ""
        if stage := instruction.flag("from"):
            return _copied_stage(built, stage).key
        sources = _expanded(image, instruction).words()[:-1]
        files = [path for source in sources for path in self._context.files(source)]
        return _digest(
            *(f"{path} {hashlib.sha256((self._context.folder / path).read_bytes()).hexdigest()}" for path in files)
        )

    def _fill(
        self, root: Path, stage: Stage, start: Image, built: Mapping[str, Image], arguments: Mapping[str, str]
    ) -> None:
        """Executes the instructions of a stage that change files."""
        _copy_tree(start.root, root)
        image = replace(start, root=root, arguments={})
        for instruction in stage.instructions:
            image = _configure(image, instruction, arguments)
            if instruction.name == "WORKDIR":
                (root / image.workdir.lstrip("/")).mkdir(parents=True, exist_ok=True)
            elif instruction.name == "COPY":
                self._copy(image, instruction, built)
            elif instruction.name == "RUN":
                self._run(image, instruction)

    def _copy(self, image: Image, instruction: Instruction, built: Mapping[str, Image]) -> None:
        *sources, target = _expanded(image, instruction).words()
        place = image.root / os.path.normpath(f"{image.workdir}/{target}" if target[0] != "/" else target).lstrip("/")
        if stage := instruction.flag("from"):
            for source in sources:
                _copy_tree(_copied_stage(built, stage).root / source.strip("/"), place)
            return
        for source in sources:
            for path in self._context.files(source):
                within = path.removeprefix(source.strip("/")).lstrip("/")
                inner = within or (Path(path).name if target.endswith("/") or len(sources) > 1 else "")
                file = place / inner if inner else place
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self._context.folder / path, file)

    def _run(self, image: Image, instruction: Instruction) -> None:
        command = exec_form(instruction.arguments) or ["/bin/sh", "-c", instruction.arguments]
        settings, binds = pip_settings.of_this_machine()
        for name, mount in instruction.flags:
            if name != "mount" or not (match := re.fullmatch(r"type=cache,target=(\S+)", mount)):
                raise DockerfileError(f"Line {instruction.line}: this runner does not know --{name}={mount}.")
            binds.append(Bind(self._cache, match[1], read_only=False))
        environment = {"HOME": "/root", **settings, **image.variables()}
        code, output = Sandbox(image.root, environment, image.workdir, image.user, binds=tuple(binds)).run(command)
        if code:
            raise DockerfileError(f"Line {instruction.line}: RUN ended with {code}:\n{output[-4000:]}")


def _expanded(image: Image, instruction: Instruction) -> Instruction:
    """The instruction with the values of the variables."""
    return replace(instruction, arguments=expand(instruction.arguments, image.variables()))


def _configure(image: Image, instruction: Instruction, given: Mapping[str, str]) -> Image:
    """The image's configuration after an instruction."""
    name, text = instruction.name, expand(instruction.arguments, image.variables())
    match name:
        case "ENV":
            return replace(image, environment={**image.environment, **pairs(text)})
        case "ARG":
            own = {key: given.get(key, value) for key, value in pairs(text).items()}
            return replace(image, arguments={**image.arguments, **own})
        case "LABEL":
            return replace(image, labels={**image.labels, **pairs(text)})
        case "WORKDIR":
            return replace(image, workdir=os.path.normpath(f"{image.workdir}/{text}" if text[0] != "/" else text))
        case "USER":
            if not re.fullmatch(r"\d+:\d+", text):
                raise DockerfileError(f"Line {instruction.line}: USER {text} must be numeric, uid:gid.")
            return replace(image, user=text)
        case "STOPSIGNAL":
            return replace(image, stop_signal=text)
        case "HEALTHCHECK":
            return replace(image, health=tuple(_exec(text.partition("CMD ")[2], instruction)))
        case "ENTRYPOINT" | "CMD":
            command = tuple(_exec(instruction.arguments, instruction))
            return replace(image, entrypoint=command) if name == "ENTRYPOINT" else replace(image, command=command)
    return image


def _exec(text: str, instruction: Instruction) -> list[str]:
    """A command in the JSON form. In the other form a shell would be process 1 and would keep the stop signal."""
    command = exec_form(text)
    if command is None:
        raise DockerfileError(
            f'Line {instruction.line}: {instruction.name} must have the form ["program", "argument"].'
        )
    return command


def _copied_stage(built: Mapping[str, Image], name: str) -> Image:
    if name not in built:
        raise DockerfileError(f"COPY --from={name}: no such stage before this one.")
    return built[name]


def _copy_tree(source: Path, target: Path) -> None:
    """Copies what is in a folder, with owners, rights and links."""
    if not source.is_dir():
        raise DockerfileError(f"COPY --from: {source.name} is no folder of that stage.")
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--archive", "--reflink=auto", f"{source}/.", str(target)], check=True)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]
