"""DynamicFrame over a Spark DataFrame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, Row

from . import mapping
from .missing import NotAvailableError

if TYPE_CHECKING:
    from .context import GlueContext

_INSTEAD = {
    "unbox": "toDF() and Spark's from_json",
    "unnest": "toDF() and a select of the nested fields",
    "relationalize": "toDF(), explode and a select of the nested fields",
    "spigot": "toDF().limit(n) and a write",
    "split_fields": "select_fields and drop_fields",
    "split_rows": "two calls of filter",
    "mergeDynamicFrame": "toDF() and a join",
    "errorsCount": "toDF(): a record that cannot be read raises here",
    "stageErrorsCount": "toDF(): a record that cannot be read raises here",
    "assertErrorThreshold": "toDF(): a record that cannot be read raises here",
    "write": "glueContext.write_dynamic_frame",
}


class DynamicFrame:
    """A distributed collection of records. Every column has one type, as in the DataFrame behind it."""

    def __init__(self, frame: DataFrame, glue_ctx: GlueContext, name: str = "") -> None:
        self._frame = frame
        self.glue_ctx = glue_ctx
        self.name = name

    @classmethod
    def fromDF(cls, dataframe: DataFrame, glue_ctx: GlueContext, name: str = "") -> DynamicFrame:  # noqa: N802
        """A DynamicFrame of a Spark DataFrame."""
        return cls(dataframe, glue_ctx, name)

    def toDF(self, options: Any = None) -> DataFrame:  # noqa: N802 - Glue's name
        """The Spark DataFrame."""
        return self._frame

    def count(self) -> int:
        """The number of records."""
        return int(self._frame.count())

    def schema(self) -> Any:
        """Spark's schema of the records."""
        return self._frame.schema

    def printSchema(self) -> None:  # noqa: N802 - Glue's name
        """Prints the schema."""
        self._frame.printSchema()

    def show(self, num_rows: int = 20) -> None:
        """Prints records as JSON."""
        for text in self._frame.limit(num_rows).toJSON().collect():
            print(text)  # noqa: T201 - what the method is for

    def repartition(self, num_partitions: int, *_: Any, **__: Any) -> DynamicFrame:
        """The records in this number of partitions."""
        return self._with(self._frame.repartition(num_partitions))

    def coalesce(self, num_partitions: int, *_: Any, **__: Any) -> DynamicFrame:
        """The records in at most this number of partitions."""
        return self._with(self._frame.coalesce(num_partitions))

    def apply_mapping(self, mappings: Sequence[Sequence[str]], *_: Any, **__: Any) -> DynamicFrame:
        """Selects, renames and casts fields; a value that cannot be cast is NULL."""
        return self._with(mapping.mapped(self._frame, mappings))

    def select_fields(self, paths: Sequence[str], *_: Any, **__: Any) -> DynamicFrame:
        """The records with these fields only."""
        entries = [(path, path, "struct") for path in paths]  # "struct": any type, without a cast
        return self._with(mapping.mapped(self._frame, entries))

    def drop_fields(self, paths: Sequence[str], *_: Any, **__: Any) -> DynamicFrame:
        """The records without these fields."""
        frame = self._frame
        for path in paths:
            first, *nested = mapping.split_path(path)
            if not nested:
                frame = frame.drop(first)
            elif mapping.field_type(frame.schema, [first, *nested]) is not None:
                inner = ".".join(f"`{name}`" for name in nested)
                frame = frame.withColumn(first, mapping.column([first]).dropFields(inner))
        return self._with(frame)

    def rename_field(self, oldName: str, newName: str, *_: Any, **__: Any) -> DynamicFrame:  # noqa: N803 - Glue's names
        """The records with another name of one field; a nested field moves to the new path."""
        old, new = mapping.split_path(oldName), mapping.split_path(newName)
        if len(old) == len(new) == 1:
            return self._with(self._frame.withColumnRenamed(old[0], new[0]))
        if len(new) == 1:
            return self._with(self._frame.withColumn(new[0], mapping.column(old))).drop_fields([oldName])
        raise NotAvailableError(f"A nested target such as {newName!r} of rename_field", "apply_mapping")

    def resolveChoice(  # noqa: N802 - Glue's name
        self, specs: Sequence[tuple[str, str]] | None = None, choice: str = "", *_: Any, **__: Any
    ) -> DynamicFrame:
        """Casts the fields of ``cast:`` and ``project:``. Other actions change nothing: a column has one type.

        Raises:
            NotAvailableError: ``match_catalog`` was asked for.
        """
        if choice == "match_catalog":
            raise NotAvailableError("resolveChoice with match_catalog", "apply_mapping with the table's types")
        wanted = dict(specs or [])
        if choice.startswith(("cast:", "project:")):
            wanted = dict.fromkeys(self._frame.columns, choice)
        frame = self._frame
        for path, action in wanted.items():
            verb, _colon, name = action.partition(":")
            present = mapping.field_type(frame.schema, [path])
            if present is None:
                raise NotAvailableError(f"resolveChoice of the nested or missing field {path!r}", "apply_mapping")
            if verb in ("cast", "project"):
                frame = frame.withColumn(path, mapping.cast(mapping.column([path]), present, name))
        return self._with(frame)

    def filter(self, f: Callable[[dict[str, Any]], bool], *_: Any, **__: Any) -> DynamicFrame:
        """The records for which ``f(record)`` is true; a record is a dict."""
        rows = self._frame.rdd.filter(lambda row: bool(f(row.asDict(recursive=True))))
        return self._with(self.glue_ctx.spark_session.createDataFrame(rows, self._frame.schema))

    def map(self, f: Callable[[dict[str, Any]], dict[str, Any]], *_: Any, **__: Any) -> DynamicFrame:
        """The records that ``f(record)`` returns; the schema is inferred from all of them."""
        rows = self._frame.rdd.map(lambda row: Row(**f(row.asDict(recursive=True))))
        return self._with(self.glue_ctx.spark_session.createDataFrame(rows, samplingRatio=1.0))

    def union(self, other: DynamicFrame, *_: Any, **__: Any) -> DynamicFrame:
        """The records of both; a field that one lacks is NULL there."""
        return self._with(self._frame.unionByName(other.toDF(), allowMissingColumns=True))

    def join(
        self,
        paths1: Sequence[str],
        paths2: Sequence[str],
        frame2: DynamicFrame,
        *_: Any,
        **__: Any,
    ) -> DynamicFrame:
        """The equality join. A field of ``frame2`` whose name exists here gets a point in front of its name."""
        right = frame2.toDF()
        renamed = {name: f".{name}" if name in self._frame.columns else name for name in right.columns}
        right = right.toDF(*renamed.values())
        condition: Any = None
        for one, two in zip(paths1, paths2, strict=True):
            equal = self._frame[f"`{one}`"] == right[f"`{renamed[two]}`"]
            condition = equal if condition is None else condition & equal
        return self._with(self._frame.join(right, condition, "inner"))

    def _with(self, frame: DataFrame) -> DynamicFrame:
        return DynamicFrame(frame, self.glue_ctx, self.name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotAvailableError(f"DynamicFrame.{name}", _INSTEAD.get(name, "toDF() and Spark's own functions"))


class DynamicFrameCollection(dict[str, DynamicFrame]):
    """DynamicFrames by name."""

    def __init__(self, dynamic_frames: dict[str, DynamicFrame], glue_ctx: GlueContext) -> None:
        super().__init__(dynamic_frames)
        self.glue_ctx = glue_ctx

    def select(self, key: str, *_: Any, **__: Any) -> DynamicFrame:
        """The frame with this name."""
        return self[key]
