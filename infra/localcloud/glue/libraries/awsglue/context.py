"""GlueContext: where DynamicFrames come from and go to."""

from __future__ import annotations

import logging
from typing import Any

from pyspark import SparkContext
from pyspark.sql import DataFrame, SparkSession

from . import catalog, formats
from .dynamicframe import DynamicFrame
from .missing import NotAvailableError

_INSTEAD = {
    "forEachBatch": "Spark's writeStream.foreachBatch",
    "getSource": "create_dynamic_frame.from_options",
    "purge_table": "boto3",
    "purge_s3_path": "boto3",
    "extract_jdbc_conf": "boto3 and spark.read.jdbc",
    "create_data_frame": "spark.read or spark.readStream",
    "start_transaction": "a write to a new prefix",
}


class GlueContext:
    """Wraps a SparkContext."""

    def __init__(self, sparkContext: SparkContext | None = None, **options: Any) -> None:  # noqa: N803 - Glue's name
        self.spark_session = SparkSession.builder.getOrCreate()
        self.create_dynamic_frame = Reader(self)
        self.write_dynamic_frame = Writer(self)

    def create_dynamic_frame_from_options(self, *arguments: Any, **options: Any) -> DynamicFrame:
        """See :meth:`Reader.from_options`."""
        return self.create_dynamic_frame.from_options(*arguments, **options)

    def create_dynamic_frame_from_catalog(self, *arguments: Any, **options: Any) -> DynamicFrame:
        """See :meth:`Reader.from_catalog`."""
        return self.create_dynamic_frame.from_catalog(*arguments, **options)

    def create_dynamic_frame_from_rdd(self, data: Any, name: str = "", schema: Any = None, **_: Any) -> DynamicFrame:
        """A DynamicFrame of an RDD."""
        return DynamicFrame(self.spark_session.createDataFrame(data, schema), self, name)

    def write_dynamic_frame_from_options(self, *arguments: Any, **options: Any) -> DynamicFrame:
        """See :meth:`Writer.from_options`."""
        return self.write_dynamic_frame.from_options(*arguments, **options)

    def write_dynamic_frame_from_catalog(self, *arguments: Any, **options: Any) -> DynamicFrame:
        """See :meth:`Writer.from_catalog`."""
        return self.write_dynamic_frame.from_catalog(*arguments, **options)

    def getSink(self, connection_type: str, **options: Any) -> Sink:  # noqa: N802 - Glue's name
        """Where generated scripts write to when they set the format later."""
        return Sink(self, connection_type, options)

    def get_logger(self) -> logging.Logger:
        """A logger whose messages go to the job's error log."""
        logging.basicConfig(level=logging.INFO, format="%(levelname)s GlueLogger: %(message)s")
        return logging.getLogger("GlueLogger")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotAvailableError(f"GlueContext.{name}", _INSTEAD.get(name, "spark_session and Spark's own functions"))


class Reader:
    """``create_dynamic_frame``."""

    def __init__(self, context: GlueContext) -> None:
        self._context = context

    def from_options(
        self,
        connection_type: str,
        connection_options: dict[str, Any] | None = None,
        format: str = "",  # noqa: A002 - Glue's name
        format_options: dict[str, Any] | None = None,
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        **_: Any,
    ) -> DynamicFrame:
        """Reads objects from S3."""
        spark = self._context.spark_session
        frame = formats.read(spark, connection_type, connection_options or {}, format, format_options or {})
        if push_down_predicate:
            frame = frame.filter(push_down_predicate)
        return DynamicFrame(frame, self._context, transformation_ctx)

    def from_catalog(
        self,
        database: str | None = None,
        table_name: str | None = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        additional_options: dict[str, Any] | None = None,
        **names: Any,
    ) -> DynamicFrame:
        """Reads a table of the Data Catalog.

        Raises:
            NotAvailableError: Options were given that are not honoured.
        """
        for option, value in (additional_options or {}).items():
            raise NotAvailableError(f"The option {option}={value!r} of from_catalog", "toDF() and a filter")
        table = catalog.find(database or names["name_space"], str(table_name))
        frame = catalog.read(self._context.spark_session, table, push_down_predicate)
        return DynamicFrame(frame, self._context, transformation_ctx)

    def from_rdd(self, data: Any, name: str, schema: Any = None, **options: Any) -> DynamicFrame:
        """A DynamicFrame of an RDD."""
        return self._context.create_dynamic_frame_from_rdd(data, name, schema, **options)


class Writer:
    """``write_dynamic_frame``."""

    def __init__(self, context: GlueContext) -> None:
        self._context = context

    def from_options(
        self,
        frame: DynamicFrame,
        connection_type: str,
        connection_options: dict[str, Any] | None = None,
        format: str = "",  # noqa: A002 - Glue's name
        format_options: dict[str, Any] | None = None,
        transformation_ctx: str = "",
        **_: Any,
    ) -> DynamicFrame:
        """Adds objects on S3."""
        formats.write(frame.toDF(), connection_type, connection_options or {}, format, format_options or {})
        return frame

    def from_catalog(
        self,
        frame: DynamicFrame,
        database: str | None = None,
        table_name: str | None = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        additional_options: dict[str, Any] | None = None,
        **names: Any,
    ) -> DynamicFrame:
        """Adds objects at a table's location. As in Glue, new partitions are not added to the catalog.

        Raises:
            NotAvailableError: Options were given that are not honoured, such as ``enableUpdateCatalog``.
        """
        for option, value in (additional_options or {}).items():
            raise NotAvailableError(f"The option {option}={value!r} of from_catalog", "boto3 for the catalog")
        table = catalog.find(database or names["name_space"], str(table_name))
        connection = {"path": table.location, "partitionKeys": [key["Name"] for key in table.partition_keys]}
        options: dict[str, Any] = {}
        if table.format == "csv":
            given = table.csv_options
            options = {"separator": given["sep"], "quoteChar": given["quote"], "writeHeader": given["header"]}
        formats.write(frame.toDF(), "s3", connection, table.format, options)
        return frame


class Sink:
    """``getSink``."""

    def __init__(self, context: GlueContext, connection_type: str, options: dict[str, Any]) -> None:
        if options.pop("enableUpdateCatalog", False):
            raise NotAvailableError("enableUpdateCatalog of getSink", "boto3 for the catalog")
        for unused in ("transformation_ctx", "updateBehavior"):
            options.pop(unused, None)
        self._context, self._connection_type, self._connection = context, connection_type, options
        self._format, self._format_options = "", dict[str, Any]()

    def setFormat(self, format: str, **options: Any) -> None:  # noqa: A002, N802 - Glue's names
        """Sets the format."""
        self._format, self._format_options = format, options

    def setCatalogInfo(self, **_: Any) -> None:  # noqa: N802 - Glue's name
        """Has an effect with ``enableUpdateCatalog`` only, which is refused."""

    def writeFrame(self, frame: DynamicFrame | DataFrame) -> DynamicFrame | DataFrame:  # noqa: N802 - Glue's name
        """Adds objects."""
        data = frame.toDF() if isinstance(frame, DynamicFrame) else frame
        formats.write(data, self._connection_type, self._connection, self._format, self._format_options)
        return frame
