"""The classes by which the Glue catalog names a table's format."""

from __future__ import annotations

from typing import Any

from infra.localcloud.athena.errors import QueryError, UnsupportedError

PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
LAZY_SERDE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
HIVE_JSON_SERDE = "org.apache.hive.hcatalog.data.JsonSerDe"
PARQUET: dict[str, Any] = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
}
TEXT: dict[str, Any] = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
}


def storage_of(name: str) -> tuple[dict[str, Any], str]:
    """Returns the classes and the SerDe of ``STORED AS name``.

    Raises:
        UnsupportedError: Athena reads the format, the local cloud does not.
        QueryError: There is no such format.
    """
    if name == "PARQUET":
        return PARQUET, PARQUET_SERDE
    if name == "TEXTFILE":
        return TEXT, LAZY_SERDE
    if name in ("ORC", "AVRO", "SEQUENCEFILE", "RCFILE", "ION"):
        raise UnsupportedError(f"STORED AS {name}", "Store the table as PARQUET or TEXTFILE.")
    raise QueryError(f"FAILED: SemanticException Unrecognized file format in STORED AS clause: '{name}'")
