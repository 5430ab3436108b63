"""``make reports``: copies the Data Docs of every audited day to this machine, with an index by workload and day.

The pages open in a browser as they lie on disk; they need no server and no network.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from include.glue.markup import page, table_of
from include.lake import layout, state_keys
from include.workloads import discover
from infra.laptop.aws import Aws
from infra.laptop.bootstrap.definitions import NAMES

INDEX = "index.html"
AuditedDay = tuple[str, str, dict[str, Any]]  # the workload, the day, and its item of the state table


def write_reports(aws: Aws, table: str, folder: Path) -> Path | None:
    """Copies the reports and writes the index.

    Args:
        aws: The local cloud.
        table: The state table.
        folder: Where they go. What is there already is replaced.

    Returns:
        The index, or None if no day has been audited.
    """
    days = [
        (workload.name, day, item)
        for workload in discover()[0]
        for day, item in sorted(_items(aws, table, state_keys.day_partition_key(workload.name)).items(), reverse=True)
    ]
    if not days:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    runs = dict.fromkeys((workload, item["run"]) for workload, _, item in days if "run" in item)
    audits = {(workload, run): _copy_run(aws, workload, run, folder) for workload, run in runs}
    index = folder / INDEX
    index.write_text(index_page(days, audits, folder), "utf-8")
    return index


def index_page(days: Iterable[AuditedDay], audits: Mapping[tuple[str, str], dict[str, Any]], folder: Path) -> str:
    """Returns the index.

    Args:
        days: In the order in which they are shown.
        audits: What each audit found, by day; by workload and run.
        folder: Where the index will be. A day is a link where its report is there.
    """
    title = "Audited days"
    rows = (
        _row(workload, day, item, audits.get((workload, item.get("run", "")), {}), folder)
        for workload, day, item in days
    )
    listed = table_of(title, ("workload", "day", "status", "warnings", "what to look at"), rows)
    return page(title, f"<h1>{title}</h1>{listed}")


def _copy_run(aws: Aws, workload: str, run: str, folder: Path) -> dict[str, Any]:
    """Copies the pages of one audit; returns what it found, by day."""
    prefix = layout.data_docs_prefix(workload, run)
    for key in _keys(aws, prefix):
        target = folder / workload / run / key.removeprefix(prefix)
        if not target.resolve().is_relative_to(folder.resolve()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(aws.s3.get_object(Bucket=NAMES.artifact, Key=key)["Body"].read())
    try:
        body = aws.s3.get_object(Bucket=NAMES.lake, Key=layout.audit_key(workload, run))["Body"].read()
    except aws.s3.exceptions.NoSuchKey:
        return {}
    found: dict[str, Any] = json.loads(body)["days"]
    return found


def _row(workload: str, day: str, item: dict[str, Any], audit: dict[str, Any], folder: Path) -> str:
    status = item["status"]
    path = f"{workload}/{item.get('run')}/days/{day}.html"
    link = f'<a href="{escape(path)}">{escape(day)}</a>' if (folder / path).is_file() else escape(day)
    warnings = audit.get(day, {}).get("warnings", [])
    cells = [
        f"<td>{escape(workload)}</td><td>{link}</td>",
        f'<td class="{escape(status)}">{escape(status)}</td><td class="number">{len(warnings)}</td>',
        f"<td>{'<br>'.join(map(escape, _texts(item, warnings)))}</td>",
    ]
    return "".join(cells)


def _texts(item: dict[str, Any], warnings: Iterable[str]) -> Iterator[str]:
    """The reason of a refusal, or the override and the warnings."""
    if item.get("reason"):
        yield str(item["reason"])
    if override := item.get("overridden"):
        names, by = ", ".join(override["expectations"]), override.get("by", "unknown")
        yield f"published by an override of {names} (by {by}, until {override['expires']}): {override['reason']}"
    yield from warnings


def _items(aws: Aws, table: str, pk: str) -> dict[str, dict[str, Any]]:
    pages = aws.dynamodb.get_paginator("query").paginate(
        TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": pk}}
    )
    read = TypeDeserializer()
    items = [{name: read.deserialize(value) for name, value in item.items()} for one in pages for item in one["Items"]]
    return {item.pop("sk"): item for item in items}


def _keys(aws: Aws, prefix: str) -> Iterator[str]:
    for one in aws.s3.get_paginator("list_objects_v2").paginate(Bucket=NAMES.artifact, Prefix=prefix):
        yield from (entry["Key"] for entry in one.get("Contents", ()))
