"""The server's configuration: one YAML file, validated when it is read. The README has an example."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


class ConfigError(ValueError):
    """The file or a field in it is wrong; the text names both and says what is expected."""


class UnknownImage(LookupError):
    """A job asked for an image that the configuration does not map to an interpreter."""


@dataclass(frozen=True)
class Image:
    """What stands in for a container image: an interpreter, a working directory, environment and a default command."""

    python: Path
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()

    def argv(self, command: list[str] | tuple[str, ...] | None = None, **fills: object) -> list[str]:
        """The command (default: the image's) with this interpreter; ``fills`` replace ``{host}``, ``{port}`` and the like."""
        words = list(command or self.command)
        if not words:
            raise ConfigError(
                "The image has no command and the job gives none: set `command` of the image in the configuration"
            )
        if words[0] in ("python", "python3"):
            words[:1] = [str(self.python)]
        elif words[0] == "uvicorn":
            words[:1] = [str(self.python), "-m", "uvicorn"]
        for name, value in fills.items():
            words = [word.replace("{" + name + "}", str(value)) for word in words]
        return words


@dataclass(frozen=True)
class Glue:
    """How Glue jobs run."""

    python: Path
    jars: tuple[Path, ...]
    java_home: Path | None = None
    spark_home: Path | None = None
    driver_memory: str = "1g"


@dataclass(frozen=True)
class Config:
    """Everything the server is told. Paths are absolute (relative ones count from the file's folder)."""

    state: Path
    glue: Glue
    host: str = "127.0.0.1"
    port: int = 4566
    account: str = "123456789012"
    region: str = "us-east-1"
    images: Mapping[str, Image] = field(default_factory=dict)
    caddy: Path | None = None
    workers: int = 2

    @property
    def endpoint(self) -> str:
        """The URL that clients and jobs use."""
        return f"http://{self.host}:{self.port}"

    def image(self, reference: str) -> Image:
        """The stand-in for an image reference; raises :class:`UnknownImage` that names those there are."""
        try:
            return self.images[reference]
        except KeyError:
            known = ", ".join(sorted(self.images)) or "none"
            raise UnknownImage(
                f"CannotPullContainerError: image {reference!r} is not in `images` (there: {known})"
            ) from None


class _Reader:
    """Takes fields out of one mapping; whatever is left over at the end is an error."""

    def __init__(self, file: Path, where: str, values: Any) -> None:
        if not isinstance(values, dict):
            raise ConfigError(f"{file}: {where or 'the file'} must be a mapping, not {type(values).__name__}")
        self._file, self._where, self._values = file, where, dict(values)

    def fail(self, name: str, expected: str) -> ConfigError:
        dotted = f"{self._where}.{name}" if self._where else name
        return ConfigError(f"{self._file}: `{dotted}` must be {expected}")

    def take(self, name: str, kind: type, expected: str, default: Any = ...) -> Any:
        value = self._values.pop(name, None)
        if value is None:
            if default is ...:
                raise self.fail(name, f"given: {expected}")
            return default
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.fail(name, f"{expected}, not {value!r}")
        return value

    def path(self, name: str, default: Any = ..., *, exists: bool = True) -> Path | None:
        value = self.take(name, str, "a path", default)
        return self.checked_path(name, value, exists=exists) if value is not None else None

    def checked_path(self, name: str, value: str, *, exists: bool) -> Path:
        path = (self._file.parent / value).absolute()
        if exists and not path.exists():
            raise self.fail(name, f"a path that exists: {path} does not")
        return path

    def done(self) -> None:
        if self._values:
            known = f"{self._where} has" if self._where else "the file has"
            raise ConfigError(
                f"{self._file}: unknown field(s) {', '.join(map(repr, self._values))}: {known} no such setting"
            )


def _glue(file: Path, values: Any) -> Glue:
    reader = _Reader(file, "glue", values)
    jars = reader.take("jars", list, "a list of jar files (hadoop-aws and its AWS bundle)")
    glue = Glue(
        python=reader.path("python"),
        jars=tuple(reader.checked_path("jars", str(jar), exists=True) for jar in jars),
        java_home=reader.path("java_home", None),
        spark_home=reader.path("spark_home", None),
        driver_memory=reader.take("driver_memory", str, "a JVM size such as 1g", "1g"),
    )
    if not re.fullmatch(r"\d+[mg]", glue.driver_memory):
        raise reader.fail("driver_memory", f"a JVM size such as 1g, not {glue.driver_memory!r}")
    reader.done()
    return glue


def _image(file: Path, reference: str, values: Any) -> Image:
    reader = _Reader(file, f"images.{reference}", values)
    env = reader.take("env", dict, "a mapping of variables", {})
    command = reader.take("command", list, "a list of words", [])
    image = Image(
        python=reader.path("python"),
        cwd=reader.path("cwd"),
        env={str(name): str(value) for name, value in env.items()},
        command=tuple(str(word) for word in command),
    )
    reader.done()
    return image


def load(path: Path) -> Config:
    """Reads and validates the file; raises :class:`ConfigError`."""
    file = path.absolute()
    try:
        values = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: cannot be read as YAML: {error}") from None
    reader = _Reader(file, "", values)
    images = reader.take("images", dict, "a mapping of image references", {})
    config = Config(
        state=reader.path("state", exists=False),
        glue=_glue(file, reader.take("glue", dict, "a mapping")),
        host=reader.take("host", str, "a loopback address", "127.0.0.1"),
        port=reader.take("port", int, "a port number", 4566),
        account=reader.take("account", str, "a string of 12 digits", "123456789012"),
        region=reader.take("region", str, "an AWS region", "us-east-1"),
        images={str(reference): _image(file, str(reference), image) for reference, image in images.items()},
        caddy=reader.path("caddy", None),
        workers=reader.take("workers", int, "a number of concurrent jobs", 2),
    )
    if not 0 < config.port < 65536:
        raise reader.fail("port", f"between 1 and 65535, not {config.port}")
    if not re.fullmatch(r"\d{12}", config.account):
        raise reader.fail("account", f"a string of 12 digits, not {config.account!r}")
    if config.workers < 1:
        raise reader.fail("workers", f"at least 1, not {config.workers}")
    try:
        loopback = ipaddress.ip_address(config.host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise reader.fail(
            "host", f"a loopback address such as 127.0.0.1, not {config.host!r}: the endpoint has no authentication"
        )
    reader.done()
    return config
