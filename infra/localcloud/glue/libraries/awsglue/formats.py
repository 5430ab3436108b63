"""Reads and writes data in the formats that Spark has, with Glue's options and defaults."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame, SparkSession

from .missing import NotAvailableError, refuse_options

# These only change how fast a read or write is.
_HARMLESS = frozenset(
    {"groupFiles", "groupSize", "useS3ListImplementation", "optimizePerformance", "strictCheckForQuoting"}
)
_READ_CONNECTION = _HARMLESS | {"paths", "path", "recurse"}
_WRITE_CONNECTION = _HARMLESS | {"path", "partitionKeys", "compression"}
_READ_FORMAT = {
    "csv": {"separator", "quoteChar", "escaper", "withHeader", "multiLine", "multiline"},
    "json": {"multiLine", "multiline"},
    "parquet": set[str](),
    "orc": set[str](),
}
_WRITE_FORMAT = {
    "csv": {"separator", "quoteChar", "escaper", "writeHeader", "compression"},
    "json": {"compression"},
    "parquet": {"compression", "useGlueParquetWriter"},
    "orc": {"compression"},
}
_ALIASES = {"glueparquet": "parquet"}


def read(
    spark: SparkSession, connection_type: str, connection: dict[str, Any], kind: str, options: dict[str, Any]
) -> DataFrame:
    """Reads objects; the arguments are those of ``create_dynamic_frame.from_options``.

    Raises:
        NotAvailableError: The connection, the format or an option is not available.
    """
    kind = _format(connection_type, kind, _READ_FORMAT)
    refuse_options("connection_options", connection, _READ_CONNECTION)
    refuse_options(f"format_options of {kind}", options, _HARMLESS | _READ_FORMAT[kind])
    paths = connection.get("paths") or [connection["path"]]
    reader = spark.read
    if connection.get("recurse"):
        reader = reader.option("recursiveFileLookup", "true")
    if _is_true(options.get("multiLine", options.get("multiline"))):
        reader = reader.option("multiLine", "true")
    if kind == "csv":
        return _read_csv(reader, paths, options)
    return reader.format(kind).load(paths)


def write(
    frame: DataFrame, connection_type: str, connection: dict[str, Any], kind: str, options: dict[str, Any]
) -> None:
    """Adds objects; the arguments are those of ``write_dynamic_frame.from_options``. Raises as :func:`read`."""
    kind = _format(connection_type, kind, _WRITE_FORMAT)
    refuse_options("connection_options", connection, _WRITE_CONNECTION)
    refuse_options(f"format_options of {kind}", options, _HARMLESS | _WRITE_FORMAT[kind])
    writer = frame.write.mode("append").format(kind)
    if compression := connection.get("compression") or options.get("compression"):
        writer = writer.option("compression", str(compression).lower())
    if keys := connection.get("partitionKeys"):
        writer = writer.partitionBy(*keys)
    if kind == "csv":
        writer = writer.option("header", str(_is_true(options.get("writeHeader", True))).lower())
        writer = writer.options(**_csv(options))
    writer.save(connection["path"])


def _read_csv(reader: Any, paths: list[str], options: dict[str, Any]) -> DataFrame:
    """Every column is text, as in Glue; without a header their names are ``col0``, ``col1`` and so on."""
    header = _is_true(options.get("withHeader", False))
    frame = reader.options(**_csv(options)).option("header", str(header).lower()).csv(paths)
    return frame if header else frame.toDF(*(f"col{number}" for number in range(len(frame.columns))))


def _csv(options: dict[str, Any]) -> dict[str, str]:
    quote = options.get("quoteChar", '"')
    return {
        "sep": options.get("separator", ","),
        "quote": "" if quote == -1 else quote,  # -1 turns quoting off
        "escape": options.get("escaper", '"'),  # two quotes are one
    }


def _format(connection_type: str, kind: str, known: dict[str, set[str]]) -> str:
    if connection_type != "s3":
        raise NotAvailableError(
            f"The connection type {connection_type!r}", "spark.read or df.write with Spark's source"
        )
    kind = _ALIASES.get(kind, kind)
    if kind not in known:
        raise NotAvailableError(f"The format {kind!r}", f"one of {', '.join(sorted(known))}")
    return kind


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"
