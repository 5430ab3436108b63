"""The service's settings: read from the environment and validated at start."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class SettingsError(ValueError):
    """A setting is missing or wrong; the text names every variable at fault."""


class Settings(BaseModel):
    """Each field is the environment variable of its name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    bundle_uri: str = Field(
        pattern=r"^(s3://[^/]+/.+|file:///.+)$", description="s3://bucket/key or file:///path of bundle.tar.gz"
    )
    bundle_digest: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="sha256 that the bundle must have, in lower-case hexadecimal"
    )
    model_version: str = Field(min_length=1, max_length=64, description="version in the model registry")
    workload: str = Field(min_length=1, description="workload that the bundle must be of")
    port: int = Field(8080, ge=1, le=65535, description="port that uvicorn listens on (uvicorn's --port; told here for the logs)")
    max_body_bytes: int = Field(1_000_000, ge=1_000, le=50_000_000, description="larger request bodies are refused")
    max_batch: int = Field(1000, ge=1, le=100_000, description="most records of one /predict/batch")
    exit_delay_seconds: float = Field(
        5.0, ge=0, le=60, description="how long /ready tells a start-up failure before the process exits"
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Reads and validates; raises :class:`SettingsError` that names every wrong variable."""
        values = {name: environ[name.upper()] for name in cls.model_fields if name.upper() in environ}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            lines = [f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
            raise SettingsError("Set these environment variables: " + "; ".join(lines)) from None
