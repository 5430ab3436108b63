"""The description of a workload as its ``workload.yaml`` states it. See docs/architecture.md, "Workload"."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from functools import cached_property
from types import ModuleType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints, model_validator

from include.workloads.expectations import Suite
from include.workloads.fields import NAME, FieldSpec

Name = Annotated[str, StringConstraints(pattern=NAME)]
Schema = dict[Name, FieldSpec]
Kind = Literal["number", "category"]


class Part(BaseModel):
    """Base of every part: immutable, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stream(Part):
    name: str = Field(pattern=r"^[a-zA-Z0-9_.-]{1,128}$", description="Kinesis stream")


class RequestText(Part):
    """What a workload may say differently of a request field; the rest is taken from where the field is declared."""

    description: str = ""
    example: str | int | float | bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _nothing_else(cls, value: Any) -> Any:
        if isinstance(value, dict) and (others := sorted(str(name) for name in value.keys() - cls.model_fields.keys())):
            raise ValueError(
                f"{', '.join(others)} is taken from where the field is declared; write only description and example here"
            )
        return value


class Event(Part):
    role: Literal["features", "label"]
    fields: Schema = Field(validation_alias="schema", min_length=1, description="the payload")


class Table(Part):
    key: tuple[Name, ...] = Field(min_length=1, description="columns that name the thing a row is about")
    valid_from: Name = Field(description="timestamp column: from when the row is true")
    watermark: Name = Field(description="timestamp column: when the row was last written")
    fields: Schema = Field(validation_alias="schema", min_length=1, description="the columns read")


class Database(Part):
    secret: str = Field(min_length=1, description="Secrets Manager name; JSON host, port, dbname, username, password")


class Join(Part):
    table: Name
    on: dict[Name, Name] = Field(min_length=1, description="the table's key column: the feature event's field")
    lead: timedelta = Field(
        timedelta(0), ge=timedelta(0), description="ISO 8601 duration; the row is as valid at event_time - lead"
    )
    prefix: str = Field("", pattern=r"^([a-z][a-z0-9_]*)?$")
    fields: tuple[Name, ...] = Field(min_length=1)

    def joined_fields(self, table: Table) -> Schema:
        """The request fields that this join adds. A row may be missing, so each may be null."""
        return {self.prefix + name: table.fields[name].model_copy(update={"nullable": True}) for name in self.fields}


class Label(Part):
    event: Name
    expression: str = Field(min_length=1, description="boolean SQL over the label event's payload columns")


class Dataset(Part):
    train_days: int = Field(ge=1)
    validation_days: int = Field(ge=1)
    test_days: int = Field(ge=1)
    minimum_rows: int = Field(ge=1, description="fewer rows in the whole data set are no data set")


class Model(Part):
    kind: str = Field(pattern=NAME, description="an estimator that include.training knows")
    hyperparameters: dict[str, int | float | bool | str] = Field(default_factory=dict)
    seed: int = Field(ge=0)
    max_runtime_seconds: int = Field(ge=60, le=432_000)
    unknown_category: Literal["missing"] = Field(
        "missing", description="a category not seen in training counts as a missing value"
    )


class Quality(Part):
    metric: Literal["auc"]
    bar: float = Field(ge=0, le=1, description="a candidate below it is never promoted")
    margin: float = Field(ge=0, le=1, description="how much worse than the champion is still as good")
    slice: Name = Field(description="request field whose values are also scored one by one")
    slice_margin: float = Field(ge=0, le=1)
    slice_minimum: int = Field(ge=1, description="rows below which a slice is not judged")
    bootstrap: int = Field(ge=100, le=100_000, description="resamples of the paired bootstrap")


class Serving(Part):
    desired_count: int = Field(ge=1)
    cpu: int = Field(ge=256, description="ECS CPU units")
    memory: int = Field(ge=512, description="MiB")


class Workload(Part):
    """One workload, checked as a whole by the loader. Build it with ``include.workloads.load``."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]{1,19}$", description="the folder's name")
    description: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    clock: Literal["recorded_at", "arrived_at"] = Field(description="which of the two is known_at")
    stream: Stream
    events: dict[Name, Event]
    tables: dict[Name, Table] = Field(default_factory=dict)
    database: Database | None = None
    joins: tuple[Join, ...] = ()
    request_texts: dict[Name, RequestText] = Field(default_factory=dict, validation_alias="request")
    label: Label
    expectations: str = Field(pattern=r"^[A-Za-z0-9_-]+\.yaml$", description="file in the workload's folder")
    dataset: Dataset
    model: Model
    quality: Quality
    approval: Literal["automatic", "manual"]
    serving: Serving

    _features_source: str = PrivateAttr(default="")
    _suites: dict[str, Suite] = PrivateAttr(default_factory=dict)

    @cached_property
    def feature_event(self) -> str:
        """The name of the one event type whose role is features."""
        return next(name for name, event in self.events.items() if event.role == "features")

    @cached_property
    def request(self) -> Schema:
        """The request record, which ``/predict`` takes: the feature event's fields, then those of each join, in declared order.

        Columns of tables and data sets have this order.
        """
        fields = dict(self.events[self.feature_event].fields)
        for join in self.joins:
            fields |= join.joined_fields(self.tables[join.table])
        texts = {name: text.model_dump(exclude_unset=True) for name, text in self.request_texts.items()}
        return {name: spec.model_copy(update=texts.get(name)) for name, spec in fields.items()}

    @property
    def features_source(self) -> str:
        """The text of features.py."""
        return self._features_source

    @property
    def suites(self) -> dict[str, Suite]:
        """What the audit expects of each event type."""
        return self._suites

    def features_module(self) -> ModuleType:
        """features.py, executed anew: ``features(record)`` and ``FEATURES``."""
        return execute_features(self._features_source, f"include/workloads/{self.name}/features.py")

    @cached_property
    def features(self) -> dict[str, Kind]:
        """FEATURES of features.py: the name and kind of every feature, in its order."""
        return dict(self.features_module().FEATURES)

    def feature_code_hash(self) -> str:
        """sha256 (hex) of features.py."""
        return hashlib.sha256(self._features_source.encode()).hexdigest()

    def request_schema(self) -> dict[str, dict[str, Any]]:
        """The request record as JSON-native values, for bundles and documents."""
        return {name: spec.model_dump(mode="json", exclude_defaults=True) for name, spec in self.request.items()}


def execute_features(source: str, filename: str) -> ModuleType:
    """Runs features.py's text as a module. Not an import: a Spark executor or a zip archive has no folder for one."""
    module = ModuleType("nightjar_features")
    module.__file__ = filename
    exec(compile(source, filename, "exec"), module.__dict__)
    return module
