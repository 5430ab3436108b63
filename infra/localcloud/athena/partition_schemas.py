"""Compares the columns of a text table's partitions with those of the table; Parquet columns are found by name."""

from __future__ import annotations

from infra.localcloud.athena.aws import Partition, Table
from infra.localcloud.athena.errors import QueryError

_WIDER = {
    "tinyint": {"smallint", "int", "bigint"},
    "smallint": {"int", "bigint"},
    "int": {"bigint"},
    "float": {"double"},
}


def require_compatible(table: Table, partitions: list[Partition]) -> None:
    """Checks the columns of each partition by their position, as Athena does for text and JSON.

    Raises:
        QueryError: The type of a column differs, and cannot be converted to the table's.
    """
    for partition in partitions:
        for (name, hive), (own_name, own) in zip(table.columns, partition.columns, strict=False):
            if hive.lower() != own.lower() and not _convertible(own.lower(), hive.lower()):
                pairs = zip(table.partition_keys, partition.values, strict=True)
                shown = "/".join(f"{key}={value}" for (key, _), value in pairs)
                raise QueryError(
                    "HIVE_PARTITION_SCHEMA_MISMATCH: There is a mismatch between the table and partition schemas. The"
                    f" types are incompatible and cannot be coerced. The column '{name}' in table"
                    f" '{table.database}.{table.name}' is declared as type '{hive}', but partition '{shown}' declared"
                    f" column '{own_name}' as type '{own}'."
                )


def _convertible(own: str, wanted: str) -> bool:
    if own in ("string", "varchar", "char") or own.startswith(("varchar(", "char(")):
        return wanted in ("string", "tinyint", "smallint", "int", "bigint", "double") or wanted.startswith("varchar")
    if wanted == "string" or wanted.startswith("varchar"):
        return own in ("tinyint", "smallint", "int", "bigint", "double")
    return wanted in _WIDER.get(own, set())
