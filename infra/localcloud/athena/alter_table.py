"""ALTER TABLE: partitions, columns, location and properties of a table in the Glue catalog."""

from __future__ import annotations

from typing import Any

from infra.localcloud.athena.aws import CallerAws, Partition, Table
from infra.localcloud.athena.create_table import table_location
from infra.localcloud.athena.ddl_tokens import Tokens
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.results import Result, text_result

_INPUT = (
    "Name",
    "Description",
    "Owner",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "ViewOriginalText",
    "ViewExpandedText",
    "TableType",
    "Parameters",
)


def alter_table(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    """Executes ALTER TABLE, from the table's name.

    Raises:
        QueryError: The statement is wrong.
        UnsupportedError: Athena may execute it, the local cloud cannot.
    """
    table = aws.existing_table(*tokens.table(database))
    if tokens.words("ADD", "COLUMNS"):
        _replace_columns(tokens, aws, table, keep=True)
    elif tokens.words("REPLACE", "COLUMNS"):
        _replace_columns(tokens, aws, table, keep=False)
    elif tokens.words("ADD"):
        _add_partitions(tokens, aws, table)
    elif tokens.words("DROP"):
        _drop_partitions(tokens, aws, table)
    elif tokens.words("SET"):
        _set(tokens, aws, table)
    elif tokens.words("PARTITION"):
        _of_partition(tokens, aws, table)
    else:
        raise UnsupportedError("ALTER TABLE … " + " ".join(tokens.take().text for _ in range(2)))
    return text_result()


def update(aws: CallerAws, table: Table, **changed: Any) -> None:
    """Changes members of a table's description."""
    entry = {name: value for name, value in table.description.items() if name in _INPUT}
    aws.call("update_table", DatabaseName=table.database, TableInput={**entry, **changed})


def _replace_columns(tokens: Tokens, aws: CallerAws, table: Table, *, keep: bool) -> None:
    columns = tokens.columns()
    tokens.end()
    storage = table.description["StorageDescriptor"]
    old = storage.get("Columns", []) if keep else []
    taken = {column["Name"].lower() for column in [*old, *table.description.get("PartitionKeys", [])]}
    for column in columns:
        if column["Name"] in taken:
            raise QueryError(f"FAILED: SemanticException [Error 10036]: Duplicate column name: {column['Name']}")
    update(aws, table, StorageDescriptor={**storage, "Columns": [*old, *columns]})


def _set(tokens: Tokens, aws: CallerAws, table: Table) -> None:
    if tokens.words("TBLPROPERTIES"):
        given = tokens.properties()
        tokens.end()
        update(aws, table, Parameters={**table.description.get("Parameters", {}), **given})
        return
    if not tokens.words("LOCATION"):
        raise UnsupportedError(f"ALTER TABLE … SET {tokens.peek().text}")
    location = table_location(tokens.string())
    tokens.end()
    update(aws, table, StorageDescriptor={**table.description["StorageDescriptor"], "Location": location})


# --- partitions ---------------------------------------------------------------------------------------------------


def partition_values(table: Table, given: dict[str, str]) -> tuple[str, ...]:
    """Orders the values of a PARTITION clause as the table orders its keys.

    Raises:
        QueryError: It does not name each key.
    """
    names = [name.lower() for name, _ in table.partition_keys]
    if sorted(given) != sorted(names):
        raise QueryError(
            f"FAILED: SemanticException: the partition must name {', '.join(names)}, not {', '.join(given)}"
        )
    return tuple(given[name] for name in names)


def _default_location(table: Table, values: tuple[str, ...]) -> str:
    keys = zip(table.partition_keys, values, strict=True)
    return table.location.rstrip("/") + "/" + "".join(f"{name}={value}/" for (name, _), value in keys)


def _add_partitions(tokens: Tokens, aws: CallerAws, table: Table) -> None:
    unless = tokens.words("IF", "NOT", "EXISTS")
    wanted: list[tuple[tuple[str, ...], str]] = []
    tokens.expect("PARTITION")
    while True:
        values = partition_values(table, tokens.partition())
        location = table_location(tokens.string()) if tokens.words("LOCATION") else _default_location(table, values)
        wanted.append((values, location))
        tokens.sign(",")
        if not tokens.words("PARTITION"):
            break
    tokens.end()
    existing = {partition.values for partition in aws.partitions(table)}
    for values, location in wanted:
        if values in existing:
            if unless:
                continue
            raise QueryError(f"FAILED: AlreadyExistsException: Partition already exists: {list(values)}")
        aws.add_partition(table, values, location)


def _drop_partitions(tokens: Tokens, aws: CallerAws, table: Table) -> None:
    unless = tokens.words("IF", "EXISTS")
    wanted = []
    tokens.expect("PARTITION")
    while True:
        wanted.append(tokens.partition())
        tokens.sign(",")
        if not tokens.words("PARTITION"):
            break
    tokens.end()
    existing = aws.partitions(table)
    names = [name.lower() for name, _ in table.partition_keys]
    for given in wanted:
        if unknown := set(given) - set(names):
            raise QueryError(f"FAILED: SemanticException Partition column {', '.join(sorted(unknown))} not found")
        matching = [
            one for one in existing if all(dict(zip(names, one.values, strict=True))[k] == v for k, v in given.items())
        ]
        if not matching and not unless:
            raise QueryError(f"FAILED: SemanticException [Error 10006]: Partition not found {given}")
        for one in matching:
            aws.call(
                "delete_partition",
                DatabaseName=table.database,
                TableName=table.name,
                PartitionValues=list(one.values),
            )


def _of_partition(tokens: Tokens, aws: CallerAws, table: Table) -> None:
    values = partition_values(table, tokens.partition())
    if tokens.words("SET", "LOCATION"):
        location, new = table_location(tokens.string()), values
    elif tokens.words("RENAME", "TO", "PARTITION"):
        location, new = "", partition_values(table, tokens.partition())
    else:
        raise UnsupportedError(f"ALTER TABLE … PARTITION (…) {tokens.peek().text}")
    tokens.end()
    found: list[Partition] = [one for one in aws.partitions(table) if one.values == values]
    if not found:
        raise QueryError(f"FAILED: SemanticException [Error 10006]: Partition not found {list(values)}")
    target = {"DatabaseName": table.database, "TableName": table.name}
    old = aws.call("get_partition", PartitionValues=list(values), **target)["Partition"]
    storage = {**old["StorageDescriptor"], "Location": location or found[0].location}
    entry = {"Values": list(new), "StorageDescriptor": storage, "Parameters": old.get("Parameters", {})}
    aws.call("update_partition", PartitionValueList=list(values), PartitionInput=entry, **target)
