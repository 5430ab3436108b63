"""The platform's settings: one object, read from ``NIGHTJAR_*`` environment variables and validated when it is read.

Only code that runs where the platform's operator sets the environment reads them: DAGs, and the laptop runner that plays
the operator. Jobs (Glue, SageMaker, ECS) are told what they need as arguments, because that is all AWS gives them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

from pydantic import BaseModel, ConfigDict, Field, ValidationError

PREFIX = "NIGHTJAR_"


class SettingsError(ValueError):
    """A setting is missing or wrong; the text names every variable at fault."""


class Settings(BaseModel):
    """Where things are on AWS. Each field is the variable ``NIGHTJAR_<FIELD>`` in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    region: str = Field("us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="AWS region of every resource")
    lake_bucket: str = Field(min_length=3, description="S3 bucket of raw, staging, quarantine, datasets")
    artifact_bucket: str = Field(
        min_length=3, description="S3 bucket of code, models, manifests, Athena results, Data Docs"
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
    training_image: str = Field(
        min_length=1, description="image reference (with digest on AWS) for training and processing jobs"
    )
    training_role_arn: str = Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+", description="role of SageMaker jobs")
    training_instance_type: str = Field("ml.m5.xlarge", description="instance type of training and processing jobs")
    serving_image: str = Field(min_length=1, description="image reference of the FastAPI service")
    verify_key_secret: str = Field(
        "",
        description="Secrets Manager secret whose text is the API key that a deploy's check sends; empty: callers need none",
    )
    ecs_cluster: str = Field("nightjar", description="ECS cluster of the services")
    alerts_topic_arn: str = Field(pattern=r"^arn:aws[a-z-]*:sns:.+", description="SNS topic that failures are told to")
    poll_seconds: int = Field(30, ge=1, le=600, description="seconds between two looks at a remote job")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Reads and validates; raises :class:`SettingsError` that names every wrong variable."""
        known = {f"{PREFIX}{name.upper()}": name for name in cls.model_fields}
        values = {field: environ[variable] for variable, field in known.items() if variable in environ}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            lines = [f"  {PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
            raise SettingsError("Settings are wrong. Set these environment variables:\n" + "\n".join(lines)) from None

    def to_env(self) -> dict[str, str]:
        """The same settings as environment variables: what the laptop runner hands to Airflow."""
        return {f"{PREFIX}{name.upper()}": str(value) for name, value in self.model_dump().items()}


@cache
def settings() -> Settings:
    """The settings of this process. Cached: a process's environment does not change."""
    return Settings.from_env()
