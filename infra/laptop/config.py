"""The laptop's settings, read from ``NIGHTJAR_*`` environment variables and validated once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ACCOUNT = "123456789012"


class LaptopError(RuntimeError):
    """Something a person has to mend; the text says what happened and what to do next."""


class LaptopConfig(BaseModel):
    """Each field is the variable ``NIGHTJAR_<FIELD>`` in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    home: Path = Field(
        ROOT / ".nightjar", description="environments, data packages and, below run/, the platform's state"
    )
    run: Path | None = Field(None, description="the platform's state, when it should lie elsewhere than in HOME/run")
    airflow_port: int = Field(8080, ge=1024, le=65535, description="Airflow's UI and REST API")
    service_port: int = Field(
        8000, ge=1024, le=65000, description="load balancer of the first workload; the next ones count up"
    )
    cloud_port: int = Field(4566, ge=1024, le=65535, description="the local AWS endpoint")
    history_days: int = Field(60, ge=1, le=330, description="days replayed before the first night, the night included")
    night: date = Field(date(2013, 6, 19), description="the first night (N); the second is the day after")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> LaptopConfig:
        """Reads and validates; raises :class:`LaptopError` that names every wrong variable."""
        known = {f"NIGHTJAR_{name.upper()}": name for name in cls.model_fields}
        values = {field: environ[variable] for variable, field in known.items() if environ.get(variable)}
        try:
            config = cls.model_validate(values)
        except ValidationError as error:
            lines = [f"  NIGHTJAR_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
            raise LaptopError("These settings are wrong:\n" + "\n".join(lines)) from None
        if len({config.airflow_port, config.service_port, config.cloud_port}) < 3:
            raise LaptopError(
                "NIGHTJAR_AIRFLOW_PORT, NIGHTJAR_SERVICE_PORT and NIGHTJAR_CLOUD_PORT must be three different ports."
            )
        return config.model_copy(
            update={"home": config.home.resolve(), "run": config.run.resolve() if config.run else None}
        )

    @property
    def state(self) -> Path:
        """The folder of pids, logs, databases and the cloud's state."""
        return self.run or self.home / "run"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.state / "logs"

    @property
    def data(self) -> Path:
        """Where the data packages were unpacked."""
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
    def first_day(self) -> date:
        """The first day of history: night N is its last."""
        return self.night - timedelta(days=self.history_days - 1)

    def python(self, environment: str) -> Path:
        """Interpreter of one of the environments that the set-up made."""
        return self.home / "venvs" / environment / "bin" / "python"
