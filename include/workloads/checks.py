"""Checks between the parts of a workload: what no field can check alone."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from include.lake import resources
from include.workloads.complete import complete_problems
from include.workloads.declaration import Workload
from include.workloads.errors import WorkloadProblem
from include.workloads.feature_code import FeatureCodeError, load_feature_code
from include.workloads.files import FILES_SOURCE, file_problems
from include.workloads.instances import instance_problems
from include.workloads.label_expression import LabelExpressionError, check_label_expression
from include.workloads.library_names import model_problems
from include.workloads.request_features import request_feature_problems
from include.workloads.request_rules import rule_problems
from include.workloads.schema import PREDICTIONS_TABLE, RESERVED_NAMES, is_feature_column
from include.workloads.suggestions import did_you_mean
from include.workloads.tables import JoinSpec, TableSpec
from include.workloads.trial import feature_problems
from include.workloads.tuning import tuning_problems

# Field and text of a problem.
_Found = Iterator[tuple[str, str]]


def check_workload(workload: Workload, file: str) -> list[WorkloadProblem]:
    """Finds contradictions between fields that are valid one by one.

    Args:
        workload: The workload, with its feature code.
        file: Path of its workload.yaml, for the problems.
    """
    complete = complete_problems(workload.stream.complete, workload.events, workload.clock)
    found = [*_event_problems(workload), *complete]
    if not found:
        found = [*_source_problems(workload), *_table_problems(workload), *_join_problems(workload)]
    if not found:
        found = [*_request_problems(workload), *_label_problems(workload), *_slice_problems(workload)]
    spec = workload.model
    found += [(f"model.{field}", text) for field, text in model_problems(spec.kind, spec.hyperparameters)]
    found += instance_problems(workload.jobs, spec.kind)
    if spec.tuning:
        found += [(f"model.{field}", text) for field, text in tuning_problems(spec.kind, spec.tuning)]
    return [WorkloadProblem(file, field, text) for field, text in found]


def check_features(workload: Workload, file: str) -> list[WorkloadProblem]:
    """Runs the features of a workload without other mistakes; ``file`` is the path of its features.py."""
    found = feature_problems(workload.feature_code(), workload.request, workload.request_rules)
    return [WorkloadProblem(file, name, text) for name, text in found]


def check_features_source(source: str, file: str) -> list[WorkloadProblem]:
    """Checks that a features.py imports the standard library only, and defines ``features`` and ``FEATURES``."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        return [WorkloadProblem(file, "", f"is not Python: {error}")]
    foreign = sorted(name for name in _imported(tree) if name.split(".")[0] not in sys.stdlib_module_names)
    if foreign:
        text = f"imports {', '.join(foreign)}: features may use only the standard library"
        return [WorkloadProblem(file, "", text)]
    try:
        load_feature_code(source, file)
    except FeatureCodeError as error:
        return [WorkloadProblem(file, name, text) for name, text in error.problems]
    return []


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def _event_problems(workload: Workload) -> _Found:
    for role in ("features", "label"):
        names = [name for name, event in workload.events.items() if event.role == role]
        if len(names) != 1:
            listed = f" ({', '.join(names)})" if names else ""
            yield "events", f"exactly one event must have the role {role}, not {len(names)}{listed}"
    for name, event in workload.events.items():
        for field in event.fields:
            if field in RESERVED_NAMES or (event.role == "features" and is_feature_column(field)):
                yield f"events.{name}.schema.{field}", "is a name that Nightjar uses itself; choose another"


def _source_problems(workload: Workload) -> _Found:
    if PREDICTIONS_TABLE in workload.events:
        yield f"events.{PREDICTIONS_TABLE}", "is the name of the prediction log's table; choose another"
    stream = resources.event_stream(workload.name)
    if workload.stream.name != stream:
        yield "stream.name", f"must be {stream}, because the policies of the roles name this stream only"
    if FILES_SOURCE in workload.tables:
        yield f"tables.{FILES_SOURCE}", f"{FILES_SOURCE} is the source of dropped files; choose another name"
    yield from file_problems(workload.files, {name: event.fields for name, event in workload.events.items()})


def _table_problems(workload: Workload) -> _Found:
    if workload.tables and workload.database is None:
        yield "database", "is missing: it is needed to read the tables"
    for name, table in workload.tables.items():
        if name in (workload.stream.name, *workload.events):
            yield f"tables.{name}", "has the same name as the stream or an event; choose another"
        for column in table.key:
            if column not in table.fields:
                yield f"tables.{name}.key", f"{column} is not in the table's schema"
        for role in ("valid_from", "watermark"):
            column = getattr(table, role)
            spec = table.fields.get(column)
            if spec is None or spec.type != "timestamp" or spec.nullable:
                yield f"tables.{name}.{role}", f"{column} must be a timestamp in the table's schema that is never null"
        if problem := _deleted_problem(table):
            yield f"tables.{name}.deleted", problem


def _deleted_problem(table: TableSpec) -> str | None:
    """What is wrong with the column that marks deleted rows."""
    spec = table.fields.get(table.deleted) if table.deleted else None
    if table.deleted is None or (spec and spec.type == "boolean"):
        return None
    if spec and spec.type == "timestamp" and spec.nullable:
        return None
    return f"{table.deleted} must be a boolean, or a timestamp that may be null, in the table's schema"


def _join_problems(workload: Workload) -> _Found:
    for i, join in enumerate(workload.joins):
        for field, text in _one_join_problems(workload, join):
            yield f"joins.{i}.{field}", text


def _one_join_problems(workload: Workload, join: JoinSpec) -> _Found:
    event = workload.events[workload.feature_event]
    table = workload.tables.get(join.table)
    if table is None:
        yield "table", f"{join.table} is not in tables{did_you_mean(join.table, workload.tables)}"
        return
    if set(join.on) != set(table.key):
        yield "on", f"must name all columns of the table's key: {', '.join(table.key)}"
    for column, field in join.on.items():
        if field not in event.fields:
            yield f"on.{column}", _not_in_event(workload, field)
        elif column in table.fields and table.fields[column].type != event.fields[field].type:
            yield f"on.{column}", f"is {table.fields[column].type}, but {field} is {event.fields[field].type}"
    for field in join.fields:
        if field not in table.fields:
            known = did_you_mean(field, table.fields)
            yield "fields", f"{field} is not in the schema of the table {join.table}{known}"


def _not_in_event(workload: Workload, field: str) -> str:
    event = workload.feature_event
    return f"{field} is not a field of the event {event}{did_you_mean(field, workload.events[event].fields)}"


def _request_problems(workload: Workload) -> _Found:
    names = set(workload.events[workload.feature_event].fields)
    for i, join in enumerate(workload.joins):
        for name in join.joined_fields(workload.tables[join.table]):
            if name in RESERVED_NAMES or is_feature_column(name):
                yield f"joins.{i}.prefix", f"{name} is a name that Nightjar uses itself; set another prefix"
            elif name in names:
                yield f"joins.{i}.prefix", f"there is already a request field {name}; set another prefix"
            names.add(name)
    for name, text in workload.request_texts.items():
        spec = workload.request.get(name)
        if spec is None:
            known = did_you_mean(name, workload.request)
            yield f"request.{name}", f"is neither a field of the feature event nor a joined field{known}"
        elif text.example is not None and (problem := spec.check(text.example)[1]):
            yield f"request.{name}.example", f"{text.example!r} {problem}"
    for name, problem in request_feature_problems(workload.request_features, workload.features, workload.request):
        yield f"request_features.{name}".removesuffix("."), problem
    for i, rule in enumerate(workload.request_rules):
        yield from ((f"request_rules.{i}.fields", problem) for problem in rule_problems(rule, workload.request))


def _label_problems(workload: Workload) -> _Found:
    event = workload.events.get(workload.label.event)
    if event is None or event.role != "label":
        yield "label.event", f"{workload.label.event} is not the event whose role is label{_label_event(workload)}"
        return
    columns = {name: spec.type for name, spec in event.fields.items()}
    try:
        check_label_expression(workload.label.expression, columns)
    except LabelExpressionError as error:
        yield "label.expression", str(error)


def _label_event(workload: Workload) -> str:
    return "".join(f", which is {name}" for name, event in workload.events.items() if event.role == "label")


def _slice_problems(workload: Workload) -> _Found:
    for index, spec in enumerate(workload.quality.slices):
        place, name = f"quality.slices.{index}", spec.field
        field = workload.request.get(name)
        if field is None:
            known = did_you_mean(name, workload.request)
            yield f"{place}.field", f"{name} is not a field of the request record{known}"
        elif field.type == "number" and not spec.edges:
            yield f"{place}.edges", f"is missing: {name} is a number, so say where its slices end, like [500, 1000]"
        elif field.type == "timestamp":
            yield f"{place}.field", f"{name} is a timestamp, of which no slices are taken; name another field"
        elif spec.edges and field.type not in ("number", "integer"):
            yield f"{place}.edges", f"{name} is a {field.type}, and only numbers have edges; remove them"
