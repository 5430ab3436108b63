"""What one field of a workload says about another: the checks that no field can make alone."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import get_args

from include.workloads.errors import Problem
from include.workloads.declaration import Kind, Workload, execute_features
from include.workloads.schema import FEATURE_PREFIX, RESERVED_NAMES


def check_workload(workload: Workload, file: str) -> list[Problem]:
    """Every contradiction in a description whose fields are valid one by one."""
    found = [*_events(workload)]
    if not found:
        found = [*_tables(workload), *_joins(workload)]
    if not found:
        found = [*_request(workload), *_label(workload), *_slice(workload)]
    return [Problem(file, field, text) for field, text in found]


def check_features_source(source: str, file: str) -> list[Problem]:
    """features.py must define ``features`` and ``FEATURES`` and import the standard library only."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        return [Problem(file, "", f"is not Python: {error}")]
    foreign = sorted(name for name in _imported(tree) if name.split(".")[0] not in sys.stdlib_module_names)
    if foreign:
        return [
            Problem(file, "", f"imports {', '.join(foreign)}: features are computed with the standard library alone")
        ]
    try:
        module = execute_features(source, file)
    except Exception as error:
        return [Problem(file, "", f"cannot be executed: {type(error).__name__}: {error}")]
    problems = []
    if not callable(getattr(module, "features", None)):
        problems.append(Problem(file, "features", "must be a function of one record"))
    declared = getattr(module, "FEATURES", None)
    if not isinstance(declared, dict) or not declared:
        return [*problems, Problem(file, "FEATURES", "must be a dict of feature names to their kinds")]
    for name, kind in declared.items():
        if not isinstance(name, str) or not name.isidentifier() or name != name.lower():
            problems.append(Problem(file, f"FEATURES.{name}", "must be a lower-case name"))
        if kind not in get_args(Kind):
            problems.append(
                Problem(file, f"FEATURES.{name}", f"must be one of {', '.join(get_args(Kind))}, not {kind!r}")
            )
    return problems


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def _events(workload: Workload) -> Iterator[tuple[str, str]]:
    for role in ("features", "label"):
        names = [name for name, event in workload.events.items() if event.role == role]
        if len(names) != 1:
            yield (
                "events",
                f"exactly one event has the role {role}, not {len(names)}"
                + (f" ({', '.join(names)})" if names else ""),
            )
    for name, event in workload.events.items():
        for field in event.fields:
            if _reserved(field) if event.role == "features" else field in RESERVED_NAMES:
                yield f"events.{name}.schema.{field}", "is a name the platform uses itself; take another"


def _tables(workload: Workload) -> Iterator[tuple[str, str]]:
    if workload.tables and workload.database is None:
        yield "database", "is missing: tables are read from one"
    for name, table in workload.tables.items():
        if name in (workload.stream.name, *workload.events):
            yield f"tables.{name}", "has the name of the stream or of an event; take another"
        for column in table.key:
            if column not in table.fields:
                yield f"tables.{name}.key", f"{column} is not in the table's schema"
        for role in ("valid_from", "watermark"):
            column = getattr(table, role)
            spec = table.fields.get(column)
            if spec is None or spec.type != "timestamp" or spec.nullable:
                yield f"tables.{name}.{role}", f"{column} must be a timestamp in the table's schema that is never null"


def _joins(workload: Workload) -> Iterator[tuple[str, str]]:
    event = workload.events[workload.feature_event]
    for i, join in enumerate(workload.joins):
        table = workload.tables.get(join.table)
        if table is None:
            yield f"joins.{i}.table", f"{join.table} is not in tables"
            continue
        if set(join.on) != set(table.key):
            yield f"joins.{i}.on", f"must name the table's whole key: {', '.join(table.key)}"
        for column, field in join.on.items():
            if field not in event.fields:
                yield f"joins.{i}.on.{column}", f"{field} is not a field of the event {workload.feature_event}"
            elif column in table.fields and table.fields[column].type != event.fields[field].type:
                yield (
                    f"joins.{i}.on.{column}",
                    f"is {table.fields[column].type}, and {field} is {event.fields[field].type}",
                )
        for field in join.fields:
            if field not in table.fields:
                yield f"joins.{i}.fields", f"{field} is not in the schema of the table {join.table}"


def _request(workload: Workload) -> Iterator[tuple[str, str]]:
    names = set(workload.events[workload.feature_event].fields)
    for i, join in enumerate(workload.joins):
        for name in join.joined_fields(workload.tables[join.table]):
            if _reserved(name):
                yield f"joins.{i}.prefix", f"{name} is a name the platform uses itself; set another prefix"
            elif name in names:
                yield f"joins.{i}.prefix", f"there is already a request field {name}; set another prefix"
            names.add(name)
    for name, text in workload.request_texts.items():
        spec = workload.request.get(name)
        if spec is None:
            yield f"request.{name}", "is neither a field of the feature event nor a joined field"
        elif text.example is not None and (problem := spec.check(text.example)[1]):
            yield f"request.{name}.example", f"{text.example!r} {problem}"


def _reserved(name: str) -> bool:
    return name in RESERVED_NAMES or name.startswith(FEATURE_PREFIX)


def _label(workload: Workload) -> Iterator[tuple[str, str]]:
    event = workload.events.get(workload.label.event)
    if event is None or event.role != "label":
        yield "label.event", f"{workload.label.event} is not the event whose role is label"
        return
    if ";" in workload.label.expression or "--" in workload.label.expression or "/*" in workload.label.expression:
        yield "label.expression", "must be one boolean SQL expression, without ; and comments"


def _slice(workload: Workload) -> Iterator[tuple[str, str]]:
    spec = workload.request.get(workload.quality.slice)
    if spec is None or spec.type not in ("string", "integer", "boolean"):
        yield (
            "quality.slice",
            f"{workload.quality.slice} is not a string, integer or boolean field of the request record",
        )
