"""The settings of the product: read from ``NIGHTJAR_*`` environment variables and validated when they are read.

Only code whose environment the operator sets reads them: DAGs, and the laptop runner, which plays the operator. Jobs
(Glue, SageMaker, ECS) get what they need as arguments.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from include.errors import NightjarError
from include.lake.buckets import DataBuckets
from include.lake.days import JOBS_REMEMBERED_DAYS

PREFIX = "NIGHTJAR_"
NO_DEADLINE = timedelta(days=3650)


class SettingsError(NightjarError, ValueError):
    """A setting is missing or wrong. The text names every variable at fault."""


class Settings(BaseSettings):
    """Names and addresses of the AWS resources. Each field is the variable ``NIGHTJAR_<FIELD>`` (case is ignored)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", str_strip_whitespace=True)

    region: str = Field("us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="AWS region of every resource")
    raw_bucket: str = Field(
        min_length=3, description="S3 bucket of the raw zone, whose policy refuses to replace an object"
    )
    lake_bucket: str = Field(min_length=3, description="S3 bucket of index, quarantine, staging, datasets, predictions")
    artifact_bucket: str = Field(
        min_length=3,
        description="S3 bucket of code, inputs, data set manifests, models, evaluations, decisions, Athena results, "
        "Data Docs",
    )
    glue_database: str = Field("nightjar", description="Glue catalog database of the published tables")
    athena_workgroup: str = Field("nightjar", description="Athena work group, which sets the result location")
    state_table: str = Field(
        "nightjar-state", description="DynamoDB table of checkpoints, day states and live pointers"
    )
    glue_transform_job: str = Field(
        "nightjar-transform", description="name of the Glue job that runs include/glue/transform.py"
    )
    glue_audit_job: str = Field("nightjar-audit", description="name of the Glue job that runs include/glue/audit.py")
    retention_floor_days: int = Field(
        JOBS_REMEMBERED_DAYS, ge=0, description="a person's retention run expires nothing younger"
    )
    training_image: str = Field(
        min_length=1, description="image reference (with digest on AWS) for training and processing jobs"
    )
    training_gpu_image: str = Field(
        "", description="image reference of training jobs on an instance type with a GPU; empty: none"
    )
    training_role_arn: str = Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+", description="role of SageMaker jobs")
    training_instance_type: str = Field("ml.m5.xlarge", description="instance type of training and processing jobs")
    mlflow_tracking_uri: str = Field(
        "",
        pattern=r"^(https?://.+|arn:aws[a-z-]*:sagemaker:.+:mlflow-tracking-server/.+)?$",
        description="MLflow server that training and evaluation jobs write to: a URL, or the ARN of a managed one; "
        "empty: none",
    )
    serving_image: str = Field(min_length=1, description="image reference of the FastAPI service")
    verify_key_secret: str = Field(
        "",
        description="Secrets Manager secret with the API key that a deploy's verification sends; empty: no key is sent",
    )
    ecs_cluster: str = Field("nightjar", description="ECS cluster of the services")
    alerts_topic_arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:sns:.+", description="SNS topic to which failures are published"
    )
    default_day: Literal["last_complete", "next"] = Field(
        "last_complete",
        description="which day a manual run without a date is for: the last complete one (UTC), or the next one to "
        "process, where data are replayed",
    )
    approve_backfill_above_usd: float = Field(
        5.0, ge=0, description="a backfill that may cost more USD waits for a person's approval"
    )
    nights_file: str = Field(
        "",
        description="JSON file that bounds the scheduled process and retrain runs by workload, where data are "
        "replayed; empty: the workload's schedule alone says when they start",
    )
    wait_deadlines: bool = Field(
        True, description="whether a run that waits for its data fails at a deadline; false where data are replayed"
    )
    poll_seconds: float = Field(
        30, ge=0.5, le=600, description="seconds between two requests for the state of a remote job"
    )

    @field_validator("lake_bucket")
    @classmethod
    def _is_not_raw(cls, value: str, info: ValidationInfo) -> str:
        if value == info.data.get("raw_bucket"):
            raise ValueError(f"is {value}, like {_variable('raw_bucket')}. Name two buckets: raw refuses replacements")
        return value

    @property
    def data_buckets(self) -> DataBuckets:
        """The buckets of data."""
        return DataBuckets(raw=self.raw_bucket, lake=self.lake_bucket)

    def wait_limit(self, deadline: timedelta) -> timedelta:
        """Returns how long a run may wait for data, or take with such a wait: until its deadline, if there is any."""
        return deadline if self.wait_deadlines else NO_DEADLINE

    def to_env(self) -> dict[str, str]:
        """Returns the settings as environment variables. The laptop runner passes them to Airflow."""
        return {_variable(name): str(value) for name, value in self.model_dump().items()}


@cache
def settings() -> Settings:
    """Returns the settings of this process. Cached, since the environment of a process does not change.

    Raises:
        SettingsError: A variable is missing or wrong; the text names each of them.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"  {_variable(str(e['loc'][0]))}: {e['msg']}" for e in error.errors()]
        raise SettingsError("Settings are wrong. Set these environment variables:\n" + "\n".join(lines)) from None


def _variable(field: str) -> str:
    return f"{PREFIX}{field.upper()}"
