"""The server's configuration: one YAML file, validated when it is read. The README has an example."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails

from infra.localcloud.errors import ConfigError, UnknownImageError


def _absolute(path: Path, info: ValidationInfo) -> Path:
    """A relative path counts from the folder of the configuration file."""
    folder: Path = (info.context or {}).get("folder", Path())
    return (folder / path).absolute()


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ValueError(f"{path} does not exist")
    return path


def _loopback(host: str) -> str:
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"{host} is no loopback address")
    return host


def _texts(values: Any) -> Any:
    """YAML reads ``N: 1`` as a number; variables, words and image references are text."""
    if isinstance(values, Mapping):
        return {str(name): value if isinstance(value, Mapping) else str(value) for name, value in values.items()}
    return [str(value) for value in values] if isinstance(values, Sequence) and not isinstance(values, str) else values


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
ExistingPath = Annotated[Path, AfterValidator(_absolute), AfterValidator(_existing)]
WholeNumber = Annotated[int, Field(strict=True)]


class _Section(BaseModel):
    """A part of the file. The description of a field completes the sentence "the field must be …"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _null_is_the_default(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            return {name: value for name, value in values.items() if value is not None}
        return values


class Preload(_Section):
    """What an interpreter imports before jobs are forked from it, and the variables that it has meanwhile."""

    modules: Annotated[tuple[str, ...], BeforeValidator(_texts)] = Field(
        description="a list of modules that start no thread when they are imported"
    )
    env: Annotated[dict[str, str], BeforeValidator(_texts)] = Field(
        default_factory=dict, description="a mapping of environment variables that every job of it has"
    )


class Image(_Section):
    """Replaces a container image: an interpreter, a working directory, environment variables and a default command."""

    python: ExistingPath = Field(description="a path that exists: the interpreter")
    cwd: ExistingPath = Field(description="a path that exists: the working directory")
    env: Annotated[dict[str, str], BeforeValidator(_texts)] = Field(
        default_factory=dict, description="a mapping of environment variables"
    )
    command: Annotated[tuple[str, ...], BeforeValidator(_texts)] = Field(default=(), description="a list of words")
    mounts: dict[str, ExistingPath] = Field(
        default_factory=dict, description="a mapping of paths in the container to folders that exist"
    )
    preload: Annotated[tuple[str, ...], BeforeValidator(_texts)] = Field(
        default=(), description="a list of modules that start no thread when they are imported"
    )

    @property
    def preloaded(self) -> Preload | None:
        """What the interpreter of its jobs may have imported before; None for nothing."""
        known = {name: value for name, value in self.env.items() if "{" not in value}
        return Preload(modules=self.preload, env=known) if self.preload else None

    def argv(self, command: Sequence[str] | None = None, **placeholders: object) -> list[str]:
        """Builds the command line of a process.

        Args:
            command: The command; by default the image's own. ``python`` and ``uvicorn`` run in the image's interpreter.
            **placeholders: Values for ``{host}``, ``{port}`` and the like in the command.

        Raises:
            ConfigError: Neither the image nor the caller gives a command.
        """
        words = list(command or self.command)
        if not words:
            raise ConfigError(
                "The image has no command and the job gives none: set `command` of the image in the configuration"
            )
        if words[0] in ("python", "python3"):
            words[:1] = [str(self.python)]
        elif words[0] == "uvicorn":
            words[:1] = [str(self.python), "-m", "uvicorn"]
        for name, value in placeholders.items():
            words = [word.replace("{" + name + "}", str(value)) for word in words]
        return words


class GlueSettings(_Section):
    """How Glue jobs run."""

    python: ExistingPath = Field(description="a path that exists: the interpreter of Glue jobs")
    jars: tuple[ExistingPath, ...] = Field(
        description="a path that exists, for each jar file (hadoop-aws and its AWS bundle)"
    )
    java_home: ExistingPath | None = Field(default=None, description="a path that exists")
    spark_home: ExistingPath | None = Field(default=None, description="a path that exists")
    driver_memory: str = Field(default="1g", pattern=r"^\d+[mg]$", description="a JVM size such as 1g")
    class_data: AbsolutePath | None = Field(
        default=None, description="a path: the JVM's archive of Spark's classes, used where it exists"
    )
    preload: dict[str, Preload] = Field(
        default_factory=dict, description="a mapping of a script's file name to `modules` and `env`"
    )


class Config(_Section):
    """All settings of the server. Paths are absolute; in the file, relative ones count from its folder."""

    state: AbsolutePath = Field(description="a path: the folder that keeps logs, requests.jsonl and job folders")
    glue: GlueSettings = Field(description="a mapping of settings of Glue jobs")
    host: Annotated[str, AfterValidator(_loopback)] = Field(
        default="127.0.0.1",
        description="a loopback address such as 127.0.0.1, because the endpoint has no TLS",
    )
    port: WholeNumber = Field(default=4566, ge=1, le=65535, description="a port number between 1 and 65535")
    account: str = Field(default="123456789012", pattern=r"^\d{12}$", description="a string of 12 digits")
    region: str = Field(default="us-east-1", description="an AWS region")
    images: Annotated[dict[str, Image], BeforeValidator(_texts)] = Field(
        default_factory=dict, description="a mapping of image references to interpreters"
    )
    mounts: bool = Field(
        default=True, description="true or false: whether jobs see mounts such as /opt/ml, where the machine allows it"
    )
    caddy: ExistingPath | None = Field(default=None, description="a path that exists: the Caddy program")
    schedule_minute: float = Field(
        default=60.0, gt=0, description="a number of seconds: how long a minute of an EventBridge rate takes; for tests"
    )
    workers: WholeNumber = Field(default=2, ge=1, description="a number of concurrent jobs, at least 1")

    @property
    def endpoint(self) -> str:
        """The URL that clients and jobs use."""
        return f"http://{self.host}:{self.port}"

    def interpreter_after(self, python: Path, preload: Preload) -> tuple[Path, Preload] | None:
        """The interpreter of the next job, and what it imports: those of Glue scripts, then those of images."""
        found = [(self.glue.python, of_script) for of_script in self.glue.preload.values()]
        found += [(image.python, of_image) for image in self.images.values() if (of_image := image.preloaded)]
        places = [index for index, one in enumerate(found) if one == (python, preload)]  # images may have the same one
        rest = found[places[-1] + 1 :] if places else []
        return rest[0] if rest else None

    def image(self, reference: str) -> Image:
        """Finds what replaces a container image.

        Raises:
            UnknownImageError: The configuration has no such image; the text lists those that it has.
        """
        try:
            return self.images[reference]
        except KeyError:
            known = ", ".join(sorted(self.images)) or "none"
            raise UnknownImageError(
                f"CannotPullContainerError: image {reference!r} is not among the configured `images` (known: {known})"
            ) from None


_SECTIONS: dict[str, type[BaseModel]] = {"glue": GlueSettings, "images": Image, "preload": Preload}


def load(path: Path) -> Config:
    """Reads and validates the file.

    Raises:
        ConfigError: The file cannot be read, or a field is missing, unknown or wrong. The text names file and field.
    """
    file = path.absolute()
    try:
        values = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: cannot be read as YAML: {error}") from None
    try:
        return Config.model_validate(values, context={"folder": file.parent})
    except ValidationError as error:
        raise ConfigError(f"{file}: {_explain(error.errors()[0])}") from None


def _explain(error: ErrorDetails) -> str:
    """What is wrong with one field, and what it must be."""
    location = [str(part) for part in error["loc"] if isinstance(part, str)]
    if error["type"] == "extra_forbidden":
        return f"unknown field {location[-1]!r}: {_dotted(location[:-1])} has no such setting"
    if not location:
        return f"the file must be a mapping, not {type(error['input']).__name__}"
    expected = _description(location)
    if error["type"] == "missing":
        return f"{_dotted(location)} must be given: {expected}"
    reason = f" ({error['ctx']['error']})" if error["type"] == "value_error" else ""
    return f"{_dotted(location)} must be {expected}, not {error['input']!r}{reason}"


def _dotted(location: list[str]) -> str:
    return f"`{'.'.join(location)}`" if location else "the file"


def _description(location: list[str]) -> str:
    """The description of the innermost field that the location names."""
    section: type[BaseModel] = Config
    found = "a mapping"
    for part in location:
        if field := section.model_fields.get(part):
            found = field.description or found
        section = _SECTIONS.get(part, section)
    return found
