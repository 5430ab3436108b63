"""The service's settings, read from environment variables and validated at start."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis.asyncio.connection import parse_url

from include.errors import NightjarError


class SettingsError(NightjarError, ValueError):
    """A setting is missing or wrong. The text names every variable at fault."""


class Settings(BaseSettings):
    """Each field is the environment variable of its name in capitals (case is ignored). A blank one counts as unset."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    # The model
    bundle_uri: str = Field(
        pattern=r"^(s3://[^/]+/.+|file:///.+)$",
        description="s3://bucket/key of bundle.tar.gz; file:///path in development",
    )
    development: bool = Field(False, description="accept a BUNDLE_URI of a file; a deploy never sets it")
    bundle_digest: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="sha256 that the bundle must have, in lower-case hexadecimal"
    )
    model_version: str = Field(min_length=1, max_length=64, description="version in the model registry")
    workload: str = Field(min_length=1, description="workload that the bundle must belong to")
    deploy_revision: int | None = Field(
        None, ge=1, description="revision of the deploy that started the task, for /version; unset outside a deploy"
    )
    model_card_url: str | None = Field(
        None, pattern=r"^https?://", description="address of the version's model card, for the page; unset: no link"
    )

    # Addresses and processes
    host: str = Field("127.0.0.1", min_length=1, description="address to listen on (0.0.0.0 in the container image)")
    port: int = Field(8080, ge=1, le=65535, description="port of the public routes")
    internal_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="port of the internal routes (/metrics, /version, /docs, …); unset: PORT answers every route",
    )
    workers: int = Field(1, ge=1, le=64, description="worker processes: one per vCPU of the task")
    stuck_seconds: float = Field(
        10.0, ge=1, le=3600, description="a worker whose event loop has been blocked for so long is killed and replaced"
    )

    # Limits of a request
    max_body_bytes: int = Field(1_000_000, ge=1_000, le=50_000_000, description="larger request bodies are rejected")
    max_batch: int = Field(1000, ge=1, le=100_000, description="most records in one /predict/batch request")
    body_timeout_seconds: float = Field(10.0, gt=0, le=300, description="a body that takes longer is answered with 408")
    max_in_flight: int = Field(
        64, ge=1, le=10_000, description="predictions in progress in a worker; further ones are answered with 503"
    )
    overload_pause_seconds: float = Field(
        1.0, ge=0, le=5, description="delay of a 503, so that callers who retry at once cost little"
    )
    cache_entries: int = Field(10_000, ge=0, le=10_000_000, description="answers cached by a worker; 0: no cache")
    redis_url: str | None = Field(
        None, pattern=r"^rediss?://", description="second-level cache, used only by a model slower than a millisecond"
    )
    redis_iam_cache: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9-]{0,39}$",
        description="ElastiCache replication group of REDIS_URL: sign in with IAM",
    )
    redis_iam_user: str | None = Field(
        None, pattern=r"^[a-z][a-z0-9-]{0,39}$", description="user of that cache; its id and its name are the same"
    )

    # Authentication
    api_keys_secret: str | None = Field(
        None, min_length=1, description="Secrets Manager secret with the callers' hashed keys; unset: no key is needed"
    )
    api_keys_refresh_seconds: float = Field(60.0, ge=1, le=86_400, description="interval of reading that secret again")

    # Telemetry
    metrics_namespace: str | None = Field(
        None, min_length=1, description="CloudWatch namespace of the embedded metrics in the log; unset: none"
    )
    metrics_interval_seconds: float = Field(60.0, ge=1, le=3600, description="interval of the embedded metrics")
    access_log_lines: int = Field(10_000, ge=0, description="buffered lines of the access log; 0: no access log")
    access_log_predictions: bool = Field(
        True, description="false: a prediction that was answered with 200 and is in PREDICTION_LOG has no access line"
    )
    trace_ratio: float = Field(
        0.0, ge=0, le=1, description="share of requests traced when the caller's X-Ray header does not decide"
    )
    traces_per_second: int = Field(
        10, ge=1, description="most traces of a worker in a second; callers can ask for a trace, and X-Ray bills each"
    )
    traces_to_xray: bool = Field(False, description="send traces to X-Ray itself, with the task's role")
    otel_exporter_otlp_endpoint: str | None = Field(
        None, min_length=1, description="URL of an OpenTelemetry collector that receives the traces instead"
    )
    otel_sdk_disabled: bool = Field(False, description="true: nothing is traced, as for any OpenTelemetry SDK")
    prediction_log: str | None = Field(
        None,
        pattern=r"^(kinesis|firehose)://[a-zA-Z0-9_.-]{1,128}$",
        description="stream that receives every prediction",
    )
    prediction_log_records: int = Field(10_000, ge=1, description="buffered predictions for that stream")

    # Feedback
    feedback_stream: str | None = Field(
        None,
        pattern=r"^[a-zA-Z0-9_.-]{1,128}$",
        description="Kinesis stream of the workload's events, to which POST /feedback writes; unset: no feedback",
    )

    # Shutdown
    shutdown_seconds: float = Field(20.0, ge=0, le=110, description="time that open requests have after SIGTERM")
    exit_delay_seconds: float = Field(
        5.0, ge=0, le=60, description="how long /ready gives the reason of a failed start before the process exits"
    )

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, values: Any) -> Any:
        return {name: value for name, value in values.items() if not (isinstance(value, str) and not value.strip())}

    @field_validator("redis_url")
    @classmethod
    def _redis_can_parse_it(cls, url: str | None) -> str | None:
        if url is not None:
            parse_url(url)
        return url

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.internal_port == self.port:
            raise ValueError("PORT and INTERNAL_PORT must differ")
        return self

    @model_validator(mode="after")
    def _iam_has_its_parts(self) -> Self:
        if (self.redis_iam_cache is None) != (self.redis_iam_user is None):
            raise ValueError("set REDIS_IAM_CACHE and REDIS_IAM_USER, or neither")
        if self.redis_iam_cache and not (self.redis_url or "").startswith("rediss://"):
            raise ValueError("REDIS_IAM_CACHE needs a REDIS_URL with rediss://, because a token is sent over TLS only")
        if self.redis_iam_cache and "@" in (self.redis_url or ""):
            raise ValueError("with REDIS_IAM_CACHE, REDIS_URL has no user or password")
        return self

    @model_validator(mode="after")
    def _traces_go_to_one_place(self) -> Self:
        if self.traces_to_xray and self.otel_exporter_otlp_endpoint:
            raise ValueError("set TRACES_TO_XRAY or OTEL_EXPORTER_OTLP_ENDPOINT, not both")
        return self

    @model_validator(mode="after")
    def _files_are_for_development(self) -> Self:
        if self.bundle_uri.startswith("file:") and not self.development:
            raise ValueError(
                "BUNDLE_URI is a file, which only a service with DEVELOPMENT=true serves: use an s3:// URI"
            )
        return self

    @classmethod
    def from_env(cls, **overrides: Any) -> Settings:
        """Reads and validates the environment.

        Args:
            overrides: Values of fields that replace the environment's.

        Raises:
            SettingsError: Settings are missing or wrong.
        """
        try:
            return cls(**overrides)
        except ValidationError as error:
            lines = [_variable(e["loc"]) + e["msg"].removeprefix("Value error, ") for e in error.errors()]
            raise SettingsError("Set these environment variables: " + "; ".join(lines)) from None


def _variable(location: tuple[int | str, ...]) -> str:
    return f"{str(location[0]).upper()}: " if location else ""
