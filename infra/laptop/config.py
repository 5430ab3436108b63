"""The laptop stack's settings, read from ``NIGHTJAR_*`` environment variables and validated once."""

from __future__ import annotations

import difflib
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from include.errors import NightjarError
from include.settings import Settings
from infra.package.tree import ROOT

REGION = "us-east-1"
ACCOUNT = "123456789012"
PREFIX = "NIGHTJAR_"

# Variables with this prefix that the Makefile and the tests use.
_OTHERS = ("NIGHTJAR_STARTED", "NIGHTJAR_TERRAFORM_PLUGINS", "NIGHTJAR_VENVS")

Iac = Literal["bootstrap", "terraform"]
ResolvedPath = Annotated[Path, AfterValidator(Path.resolve)]


class LaptopError(NightjarError):
    """Something that a person has to fix. The text says what happened and what to do next."""


class LaptopConfig(BaseSettings):
    """Each field is the environment variable ``NIGHTJAR_<FIELD>`` (case is ignored). An empty one counts as unset."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", str_strip_whitespace=True
    )

    home: ResolvedPath = Field(
        ROOT / ".nightjar", description="environments, data packages and, in run/, the stack's state"
    )
    run: ResolvedPath | None = Field(None, description="the stack's state; default: HOME/run")
    airflow_port: int = Field(8080, ge=1024, le=65535, description="Airflow's UI and REST API")
    service_port: int = Field(
        8000, ge=1024, le=65000, description="load balancer of the first workload; others take the next ports"
    )
    cloud_port: int = Field(4566, ge=1024, le=65535, description="the local AWS endpoint")
    tracking: bool = Field(False, description="whether MLflow runs beside the stack, and the training jobs write to it")
    tracking_port: int = Field(5001, ge=1024, le=65535, description="MLflow")
    iac: Iac | None = Field(
        None, description="what makes the AWS resources: bootstrap (default) or terraform; a run folder keeps its own"
    )
    history_days: int = Field(
        60, ge=1, le=330, description="days of history before the first night's end, its own included"
    )
    night: date = Field(date(2013, 6, 19), description="the first night of a new run folder")

    @classmethod
    def from_env(cls, **overrides: Any) -> LaptopConfig:
        """Reads and validates the environment.

        Args:
            overrides: Values of fields that replace the environment's.

        Raises:
            LaptopError: Settings are wrong; the text names every variable at fault.
        """
        _refuse_unknown_variables()
        try:
            return cls(**overrides)
        except ValidationError as error:
            lines = [f"  {_variables(e['loc'])}{e['msg'].removeprefix('Value error, ')}" for e in error.errors()]
            raise LaptopError("Settings are wrong. Set these environment variables:\n" + "\n".join(lines)) from None

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if len({self.airflow_port, self.service_port, self.cloud_port, self.tracking_port}) < 4:
            raise ValueError(
                "NIGHTJAR_AIRFLOW_PORT, NIGHTJAR_SERVICE_PORT, NIGHTJAR_CLOUD_PORT and NIGHTJAR_TRACKING_PORT must be "
                "four different ports"
            )
        return self

    @property
    def state(self) -> Path:
        """The run folder: pids, logs, databases and the local cloud's state."""
        return self.run or self.home / "run"

    @property
    def logs(self) -> Path:
        """Folder with one log file for each process."""
        return self.state / "logs"

    @property
    def nights_file(self) -> Path:
        """The file that says for which nights Airflow's scheduler makes runs (``infra.laptop.bounds``)."""
        return self.state / "nights.json"

    @property
    def data(self) -> Path:
        """Folder of the unpacked data packages."""
        return self.home / "data"

    @property
    def endpoint(self) -> str:
        """URL of the local AWS endpoint."""
        return f"http://127.0.0.1:{self.cloud_port}"

    @property
    def airflow_url(self) -> str:
        """URL of Airflow's UI and REST API."""
        return f"http://127.0.0.1:{self.airflow_port}"

    @property
    def tracking_url(self) -> str:
        """URL of MLflow."""
        return f"http://127.0.0.1:{self.tracking_port}"

    @property
    def second_night(self) -> date:
        """The last night of ``make run``."""
        return self.night + timedelta(days=1)

    @property
    def first_day(self) -> date:
        """The first day of history; ``night`` is the last."""
        return self.night - timedelta(days=self.history_days - 1)

    def python(self, environment: str) -> Path:
        """The interpreter of an environment that set-up created."""
        return self.home / "venvs" / environment / "bin" / "python"


def _variables(location: tuple[int | str, ...]) -> str:
    return f"{PREFIX}{str(location[0]).upper()}: " if location else ""


def _refuse_unknown_variables() -> None:
    """A misspelt variable would be ignored, and its default be used.

    Raises:
        LaptopError: The environment has a variable with the project's prefix that nothing reads.
    """
    settings = [name.upper() for name in LaptopConfig.model_fields]
    of_dags = [name.upper() for name in Settings.model_fields]  # on the laptop, the runner sets these
    known = {f"{PREFIX}{name}" for name in (*settings, *of_dags)} | set(_OTHERS)
    unknown = sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    if unknown:
        lines = []
        for name in unknown:
            near = difflib.get_close_matches(name.upper().removeprefix(PREFIX), settings, n=1, cutoff=0.75)
            lines.append(f"  {name}" + (f": did you mean {PREFIX}{near[0]}?" if near else ""))
        raise LaptopError(
            "Nothing reads these environment variables. Unset them, or correct their names:\n" + "\n".join(lines)
        )
