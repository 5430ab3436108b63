"""Finds and loads workload folders, on disk or, as on Glue, inside a zip archive."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from include.workloads.checks import check_features, check_features_source, check_workload
from include.workloads.comparison import COLUMN_RULES, DAY_RULES
from include.workloads.declaration import FOLDER_NAME, FOLDER_NAME_RULE, Workload
from include.workloads.documents import parse_yaml, validate
from include.workloads.errors import WorkloadError, WorkloadProblem
from include.workloads.expectations import SHARED_KEYS, SharedSpec, SuiteSpec
from include.workloads.library_names import expectation_problems
from include.workloads.schema import COMMON_COLUMNS, processed_columns
from include.workloads.suggestions import did_you_mean


def load(name: str, root: Traversable | None = None) -> Workload:
    """Loads one workload.

    Args:
        name: Name of the workload's folder.
        root: Folder that holds the workload folders; default: this package.

    Raises:
        WorkloadError: The folder has mistakes; the error holds all that were found.
    """
    shown = f"include/workloads/{name}" if root is None else str(root.joinpath(name))
    try:
        return _load(name, _root(root), shown)
    except WorkloadError:
        raise
    except Exception as error:  # no folder may take the others down, whatever is in it
        text = f"cannot be loaded: {type(error).__name__}: {error}"
        raise WorkloadError(name, [WorkloadProblem(shown, "", text)]) from error


def _load(name: str, root: Traversable, shown: str) -> Workload:
    folder = root.joinpath(name)
    if not folder.is_dir():
        known = did_you_mean(name, _folders(root))
        raise WorkloadError(name, [WorkloadProblem(shown, "", f"is not a workload: there is no such folder{known}")])
    if not FOLDER_NAME.fullmatch(name):
        raise WorkloadError(name, [WorkloadProblem(shown, "", f"the folder's name {FOLDER_NAME_RULE}")])
    file = f"{shown}/workload.yaml"
    document, problems = _read_yaml(folder, "workload.yaml", file)
    if "name" in document:
        problems.append(WorkloadProblem(file, "name", "is the name of the folder; remove it"))
    _raise(name, problems)

    workload, problems = validate(Workload, {"name": name, **document}, file)
    source, source_problems = _read(folder, "features.py", f"{shown}/features.py")
    problems += source_problems or check_features_source(source, f"{shown}/features.py")
    if workload is None or problems:
        raise WorkloadError(name, problems)

    workload._features_source = source
    _raise(name, check_workload(workload, file))
    _raise(name, check_features(workload, f"{shown}/features.py"))
    _raise(name, _load_suites(workload, folder, f"{shown}/{workload.expectations}"))
    return workload


def discover(root: Traversable | None = None, *, only: str | None = None) -> tuple[list[Workload], list[WorkloadError]]:
    """Loads every workload folder, or one.

    Args:
        root: Folder that holds the workload folders; default: this package.
        only: Name of the only folder to load; None for all.

    Returns:
        The workloads that load, sorted by name, and one error for each folder that does not load.
    """
    workloads, errors = [], []
    for name in sorted(_folders(_root(root))) if only is None else [only]:
        try:
            workloads.append(load(name, root))
        except WorkloadError as error:
            errors.append(error)
    return workloads, errors


def _root(root: Traversable | None) -> Traversable:
    return files("include.workloads") if root is None else root


def _folders(root: Traversable) -> Iterator[str]:
    return (entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith((".", "_")))


def _load_suites(workload: Workload, folder: Traversable, file: str) -> list[WorkloadProblem]:
    document, problems = _read_yaml(folder, workload.expectations, file)
    if problems:
        return problems
    problems = [
        WorkloadProblem(file, name, f"is not an event of this workload{did_you_mean(name, workload.events)}")
        for name in document
        if name not in workload.events and name not in SHARED_KEYS
    ]
    shared = {key: document[key] for key in SHARED_KEYS if key in document}
    problems += [
        WorkloadProblem(file, key, "has a meaning of its own in this file, so no event type can have this name")
        for key in SHARED_KEYS
        if key in workload.events
    ]
    problems += _load_shared(workload, shared, file)
    for name in workload.events:
        if name not in document:
            problems.append(WorkloadProblem(file, name, "is missing: state what is expected of this event type"))
            continue
        suite, mistakes = validate(SuiteSpec, document[name], file, name)
        problems += mistakes
        if suite is not None:
            problems += _unknown_columns(workload, name, suite, file)
            problems += _unknown_expectations(name, suite, file)
            workload._suites[name] = suite
    return problems


def _load_shared(workload: Workload, document: dict[str, Any], file: str) -> list[WorkloadProblem]:
    shared, problems = validate(SharedSpec, document, file)
    if shared is None:
        return problems
    workload._table_suites, workload._tunings = shared.tables, shared.comparison
    unknown = [name for name in shared.tables if name not in workload.tables]
    return [
        WorkloadProblem(file, f"tables.{name}", f"is not a table of this workload{did_you_mean(name, workload.tables)}")
        for name in unknown
    ] + [
        WorkloadProblem(file, f"comparison.{i}.expectation", f"{tuning.expectation} names no expectation")
        for i, tuning in enumerate(shared.comparison)
        if not tuning.names_any(_comparison_names(workload))
    ]


def _comparison_names(workload: Workload) -> list[str]:
    """Returns the name of every expectation of the comparison with recent days."""
    common = {name for name, _ in COMMON_COLUMNS}
    names = [f"{event}.{rule}" for event in workload.events for rule in DAY_RULES]
    for event in workload.events:
        columns = [name for name, _ in processed_columns(workload, event) if name not in common]
        names += [f"{event}.{rule}({column})" for rule in COLUMN_RULES for column in columns]
    return names


def _unknown_columns(workload: Workload, event_type: str, suite: SuiteSpec, file: str) -> list[WorkloadProblem]:
    known = {column for column, _ in processed_columns(workload, event_type)}
    used = [("unique", column) for column in suite.unique]
    used += [
        (f"expectations.{i}", column)
        for i, expectation in enumerate(suite.expectations)
        for column in expectation.columns
    ]
    return [
        WorkloadProblem(
            file,
            f"{event_type}.{field}",
            f"{column} is not a column of the processed table{did_you_mean(column, known)}",
        )
        for field, column in used
        if column not in known
    ]


def _unknown_expectations(event_type: str, suite: SuiteSpec, file: str) -> list[WorkloadProblem]:
    return [
        WorkloadProblem(file, f"{event_type}.expectations.{i}", text)
        for i, expectation in enumerate(suite.expectations)
        for text in expectation_problems(expectation.type, expectation.arguments)
    ]


def _read_yaml(folder: Traversable, name: str, file: str) -> tuple[dict[str, Any], list[WorkloadProblem]]:
    text, problems = _read(folder, name, file)
    return ({}, problems) if problems else parse_yaml(text, file)


def _read(folder: Traversable, name: str, file: str) -> tuple[str, list[WorkloadProblem]]:
    path = folder.joinpath(name)
    if not path.is_file():
        return "", [WorkloadProblem(file, "", "does not exist")]
    try:
        return path.read_text(encoding="utf-8"), []
    except UnicodeDecodeError:
        return "", [WorkloadProblem(file, "", "is not UTF-8 text")]


def _raise(name: str, problems: list[WorkloadProblem]) -> None:
    if problems:
        raise WorkloadError(name, problems)
