"""The service's settings: read from the environment and validated at start."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator


class SettingsError(ValueError):
    """A setting is missing or wrong; the text names every variable at fault."""


class Settings(BaseModel):
    """Each field is the environment variable of its name in capitals. An empty variable is an unset one."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    # What is served
    bundle_uri: str = Field(
        pattern=r"^(s3://[^/]+/.+|file:///.+)$", description="s3://bucket/key or file:///path of bundle.tar.gz"
    )
    bundle_digest: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="sha256 that the bundle must have, in lower-case hexadecimal"
    )
    model_version: str = Field(min_length=1, max_length=64, description="version in the model registry")
    workload: str = Field(min_length=1, description="workload that the bundle must be of")

    # Where it listens, and with how many processes
    host: str = Field("127.0.0.1", min_length=1, description="address to listen on (0.0.0.0 in the container image)")
    port: int = Field(8080, ge=1, le=65535, description="port of the prediction routes")
    internal_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="when set, /metrics, /version, /golden, /docs and the page are answered on this port only",
    )
    workers: int = Field(1, ge=1, le=64, description="processes: one a vCPU of the task")
    stuck_seconds: float = Field(
        30.0, ge=1, le=3600, description="a process whose event loop has not turned for so long is killed and replaced"
    )

    # What a request may cost
    max_body_bytes: int = Field(1_000_000, ge=1_000, le=50_000_000, description="larger request bodies are refused")
    max_batch: int = Field(1000, ge=1, le=100_000, description="most records of one /predict/batch")
    body_timeout_seconds: float = Field(10.0, gt=0, le=300, description="a body that takes longer is answered 408")
    max_in_flight: int = Field(
        64, ge=1, le=10_000, description="predictions in work at once in a process; more are answered 503"
    )
    overload_pause_seconds: float = Field(
        1.0, ge=0, le=5, description="how long a 503 is held back, so that callers who retry at once cost little"
    )
    cache_entries: int = Field(
        10_000, ge=0, le=10_000_000, description="answers kept in a process; 0 switches the cache off"
    )
    redis_url: str | None = Field(
        None, pattern=r"^rediss?://", description="second-level cache, used only by a model slower than a millisecond"
    )

    # Who may call
    api_keys_secret: str | None = Field(
        None,
        min_length=1,
        description="Secrets Manager secret with the callers' hashed keys; unset: everybody may call",
    )
    api_keys_refresh_seconds: float = Field(60.0, ge=1, le=86_400, description="how often that secret is read again")

    # What it tells
    metrics_namespace: str | None = Field(
        None, min_length=1, description="CloudWatch namespace of embedded metrics in the log; unset: none are written"
    )
    metrics_interval_seconds: float = Field(60.0, ge=1, le=3600, description="how often embedded metrics are written")
    access_log_lines: int = Field(
        10_000, ge=0, description="access log lines that may wait for the log; 0 switches the log off"
    )
    trace_ratio: float = Field(
        0.0, ge=0, le=1, description="share of requests traced when the caller's X-Ray header does not decide"
    )
    prediction_log: str | None = Field(
        None,
        pattern=r"^(kinesis|firehose)://[a-zA-Z0-9_.-]{1,128}$",
        description="stream that every prediction is sent to",
    )
    prediction_log_records: int = Field(10_000, ge=1, description="predictions that may wait for that stream")

    # How it ends
    shutdown_seconds: float = Field(
        20.0, ge=0, le=110, description="what requests under way get to finish after SIGTERM"
    )
    exit_delay_seconds: float = Field(
        5.0, ge=0, le=60, description="how long /ready tells a start-up failure before the process exits"
    )

    @model_validator(mode="after")
    def _two_ports(self) -> Settings:
        if self.internal_port == self.port:
            raise ValueError("PORT and INTERNAL_PORT must differ")
        return self

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Reads and validates; raises :class:`SettingsError` that names every wrong variable."""
        values = {name: environ[name.upper()] for name in cls.model_fields if environ.get(name.upper(), "").strip()}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            lines = [f"{'.'.join(map(str, e['loc'])).upper() or 'SETTINGS'}: {e['msg']}" for e in error.errors()]
            raise SettingsError("Set these environment variables: " + "; ".join(lines)) from None
