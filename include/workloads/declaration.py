"""What a workload declares in its ``workload.yaml`` (docs/contracts.md, "Workload")."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, PrivateAttr, model_validator
from pydantic_core import to_jsonable_python

from include.lake.known import Clock
from include.workloads.backfill import BackfillSpec
from include.workloads.budget import BudgetSpec
from include.workloads.comparison import ComparisonTuning
from include.workloads.complete import CompleteSpec
from include.workloads.deploying import DeploySpec
from include.workloads.expectations import SuiteSpec, TableSuiteSpec
from include.workloads.feature_code import FeatureCode, FeatureKind, load_feature_code
from include.workloads.fields import Fields, Name
from include.workloads.files import FILES_SOURCE, FileSpec
from include.workloads.jobs import JobsSpec
from include.workloads.monitor import MonitorSpec
from include.workloads.request_rules import RequestRule
from include.workloads.retention import RetentionSpec
from include.workloads.schedule import ScheduleSpec
from include.workloads.strict import StrictModel
from include.workloads.tables import DatabaseSpec, JoinSpec, TableSpec
from include.workloads.training import DatasetSpec, LabelSpec, ModelSpec, QualitySpec

# The name is part of names in AWS, some of which allow no other characters and not many of them.
FOLDER_NAME = re.compile(r"^[a-z][a-z0-9]{1,19}$")
FOLDER_NAME_RULE = "must have 2 to 20 lower-case letters and digits, the first one a letter"

# What transform and audit do not use: a change of it leaves the published days valid.
_DOCUMENTED = {"__all__": {"fields": {"__all__": {"description", "example"}}}}
NOT_PROCESSED: Any = {
    **dict.fromkeys(
        (
            "description",
            "owner",
            "limits",
            "database",
            "request_texts",
            "request_rules",
            "request_features",
            "label",
            "dataset",
        ),
        True,
    ),
    **dict.fromkeys(("model", "quality", "expectations", "approval", "serving", "schedule", "files", "jobs"), True),
    **dict.fromkeys(("retention", "backfill", "budget", "deploy", "monitor"), True),
    "stream": {"complete": {"by": True, "period": True}},
    "events": _DOCUMENTED,
    "tables": _DOCUMENTED,
}


class StreamSpec(StrictModel):
    """The Kinesis stream on which all events of the workload arrive."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_.-]{1,128}$", description="Kinesis stream")
    complete: CompleteSpec = Field(default_factory=CompleteSpec, description="what makes a day complete")


class EventSpec(StrictModel):
    """One event type. Exactly one type of a workload has the role ``features`` and one the role ``label``."""

    role: Literal["features", "label"]
    fields: Fields = Field(validation_alias="schema", min_length=1, description="the payload")


class RequestText(StrictModel):
    """Another description or example for a request field. Its type and limits come from where it is declared."""

    description: str = ""
    example: str | int | float | bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _nothing_else(cls, value: Any) -> Any:
        if isinstance(value, dict) and (others := sorted(str(name) for name in value.keys() - cls.model_fields.keys())):
            listed = ", ".join(others)
            raise ValueError(
                f"{listed} is taken from where the field is declared; write only description and example here"
            )
        return value


class ServingSpec(StrictModel):
    """Size of the ECS service."""

    desired_count: int = Field(ge=1, description="number of tasks")
    cpu: int = Field(ge=256, description="ECS CPU units")
    memory: int = Field(ge=512, description="MiB")


class Workload(StrictModel):
    """One workload: its ``workload.yaml``, with its feature code and its expectations.

    Make one with ``include.workloads.load``, which also checks the parts against each other.
    """

    name: str = Field(pattern=FOLDER_NAME.pattern, description="the folder's name")
    description: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    limits: tuple[str, ...] = Field((), description="what its model is not good for, in sentences, for the model card")
    clock: Clock = Field(description="recorded_at: the clocks of producers and databases are trusted")
    stream: StreamSpec
    events: dict[Name, EventSpec]
    tables: dict[Name, TableSpec] = Field(default_factory=dict)
    database: DatabaseSpec | None = None
    files: dict[Name, FileSpec] = Field(default_factory=dict, description="files that may be dropped for the workload")
    joins: tuple[JoinSpec, ...] = ()
    request_texts: dict[Name, RequestText] = Field(default_factory=dict, validation_alias="request")
    request_rules: tuple[RequestRule, ...] = Field((), description="optional request fields that belong together")
    request_features: Fields = Field(
        default_factory=dict, description="the features, if a request may give them in place of the record"
    )
    label: LabelSpec
    expectations: str = Field(pattern=r"^[A-Za-z0-9_-]+\.yaml$", description="file in the workload's folder")
    dataset: DatasetSpec
    model: ModelSpec
    quality: QualitySpec
    approval: Literal["automatic", "manual"]
    serving: ServingSpec
    retention: RetentionSpec = Field(RetentionSpec(), description="how long unneeded runs and data sets are kept")
    schedule: ScheduleSpec = Field(ScheduleSpec(), description="when its runs start by themselves")
    jobs: JobsSpec = Field(JobsSpec(), description="sizes and time limits of its jobs; each has a default")
    backfill: BackfillSpec = Field(BackfillSpec(), description="defaults of the form of a backfill")
    budget: BudgetSpec = Field(BudgetSpec(), description="dollars a month above which paid extras are not started")
    deploy: DeploySpec = Field(DeploySpec(), description="how versions are deployed; without it, at once")
    monitor: MonitorSpec = Field(MonitorSpec(), description="what is watched once a version is live")

    # Other files of the folder; the loader sets them.
    _features_source: str = PrivateAttr(default="")
    _suites: dict[str, SuiteSpec] = PrivateAttr(default_factory=dict)
    _table_suites: dict[str, TableSuiteSpec] = PrivateAttr(default_factory=dict)
    _tunings: tuple[ComparisonTuning, ...] = PrivateAttr(default=())

    @property
    def event_sources(self) -> tuple[str, ...]:
        """The sources of raw objects with events: the stream, and dropped files where the workload accepts any."""
        return (self.stream.name, FILES_SOURCE) if self.files else (self.stream.name,)

    @cached_property
    def feature_event(self) -> str:
        """The name of the event type whose role is features."""
        return next(name for name, event in self.events.items() if event.role == "features")

    @cached_property
    def request(self) -> Fields:
        """The request record, which ``/predict`` takes: the feature event's fields, then each join's, as declared.

        The columns of tables and data sets have this order.
        """
        fields = dict(self.events[self.feature_event].fields)
        for join in self.joins:
            fields |= join.joined_fields(self.tables[join.table])
        texts = {name: text.model_dump(exclude_unset=True) for name, text in self.request_texts.items()}
        return {name: spec.model_copy(update=texts.get(name)) for name, spec in fields.items()}

    @property
    def suites(self) -> dict[str, SuiteSpec]:
        """What the audit expects of each event type."""
        return self._suites

    def table_suite(self, table: str) -> TableSuiteSpec:
        """Returns what the audit expects of a reference table."""
        return self._table_suites.get(table) or TableSuiteSpec()

    @property
    def comparison_tunings(self) -> tuple[ComparisonTuning, ...]:
        """Where the comparison with recent days has other limits than the default ones."""
        return self._tunings

    @property
    def features_source(self) -> str:
        """The text of features.py."""
        return self._features_source

    def feature_code(self) -> FeatureCode:
        """Executes features.py."""
        return load_feature_code(self._features_source, f"include/workloads/{self.name}/features.py")

    @cached_property
    def features(self) -> dict[str, FeatureKind]:
        """The kind of each feature, in the order of FEATURES in features.py."""
        return self.feature_code().kinds

    @property
    def sagemaker_limits(self) -> tuple[int, int]:
        """Time limits in seconds: the longer one of training and evaluation, and that of tuning (0: there is none)."""
        tuning = self.model.tuning
        seconds = self.jobs.sagemaker_seconds(self.model.max_runtime_seconds)
        return seconds, tuning.max_runtime_seconds if tuning else 0

    def process_hash(self) -> str:
        """Returns the sha256 of what transform and audit use of this workload, as 64 hex digits.

        The order of fields counts, because it is the order of columns.
        """
        used = [self.model_dump(mode="json", exclude=NOT_PROCESSED), to_jsonable_python(self.__pydantic_private__)]
        return hashlib.sha256(json.dumps(used, separators=(",", ":")).encode()).hexdigest()

    def feature_code_hash(self) -> str:
        """Returns the sha256 of features.py as 64 hex digits."""
        return hashlib.sha256(self._features_source.encode()).hexdigest()
