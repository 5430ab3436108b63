"""Reference tables of a workload: what is read of each, from which database, and how rows join the feature event."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator, model_validator

from include.errors import UserError
from include.lake.days import parse_day
from include.workloads.fields import Fields, Name
from include.workloads.strict import StrictModel


class TableSpec(StrictModel):
    """A relational table whose rows are joined to the feature event."""

    key: tuple[Name, ...] = Field(min_length=1, description="columns that identify what a row describes")
    valid_from: Name = Field(description="timestamp column: the time from which the row is valid")
    watermark: Name = Field(description="timestamp column: the time at which the row was last written")
    initial_load: date | None = Field(
        None,
        description="day on which history was loaded; rows known by its end count since valid_from",
    )
    deleted: Name | None = Field(
        None,
        description="boolean or nullable timestamp column that marks a deleted row (true, or any time); from when that "
        "is known, nothing of the row is joined",
    )
    fields: Fields = Field(validation_alias="schema", min_length=1, description="the columns read")
    relation: str | None = Field(
        None, min_length=1, description="the table or view in the database, like sales.Weather; default: the name here"
    )
    columns: dict[Name, Annotated[str, StringConstraints(min_length=1)]] = Field(
        default_factory=dict, description="name in the schema: the column in the database, where they differ"
    )

    @model_validator(mode="after")
    def _columns_of_the_schema(self) -> TableSpec:
        if unknown := sorted(self.columns.keys() - self.fields.keys()):
            raise ValueError(f"columns: {', '.join(unknown)} is not in the schema")
        return self

    def database_columns(self) -> dict[str, tuple[str, str]]:
        """Returns field → (the column in the database, the declared type)."""
        return {name: (self.columns.get(name, name), field.type) for name, field in self.fields.items()}

    @field_validator("initial_load", mode="before")
    @classmethod
    def _day(cls, value: Any) -> Any:
        try:
            return value if value is None or isinstance(value, date) else parse_day(value)
        except UserError as error:
            raise ValueError(str(error)) from None


class DatabaseSpec(StrictModel):
    """The database that holds the tables."""

    secret: str = Field(
        min_length=1,
        description="Secrets Manager name; JSON host, port, dbname, username, password, and sslmode, sslrootcert …",
    )
    # Whether the zone exists is the database's to say: not every runtime has the names of the time zones.
    zone: str | None = Field(
        None,
        pattern=r"^[A-Za-z_]+(/[A-Za-z0-9_+-]+)*$",
        description="time zone of columns of type timestamp and date, which have none, like UTC or Europe/Berlin",
    )


class JoinSpec(StrictModel):
    """A join of one table's rows to the feature event, as known at ``event_time - lead``."""

    table: Name
    on: dict[Name, Name] = Field(min_length=1, description="the table's key column: the feature event's field")
    lead: timedelta = Field(timedelta(0), ge=timedelta(0), description="ISO 8601 duration")
    prefix: str = Field("", pattern=r"^([a-z][a-z0-9_]*)?$", description="prefix of the joined fields' names")
    fields: tuple[Name, ...] = Field(min_length=1, description="columns of the table that are joined")

    def joined_fields(self, table: TableSpec) -> Fields:
        """Returns the request fields that this join adds. Each may be null, because the row may be missing."""
        return {self.prefix + name: table.fields[name].model_copy(update={"nullable": True}) for name in self.fields}
