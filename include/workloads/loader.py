"""Finds and loads workload folders. Works from a folder and, as on Glue, from inside a zip archive."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from include.workloads.checks import check_features_source, check_workload
from include.workloads.documents import parse_yaml, validate
from include.workloads.errors import Problem, WorkloadError
from include.workloads.expectations import Suite
from include.workloads.declaration import Workload
from include.workloads.schema import processed_columns


def load(name: str, root: Traversable | None = None) -> Workload:
    """The workload in the folder ``name`` below ``root`` (default: this package). Raises :class:`WorkloadError` with every
    mistake found.
    """
    folder = _root(root).joinpath(name)
    shown = f"include/workloads/{name}" if root is None else str(folder)
    file = f"{shown}/workload.yaml"
    document, problems = _read_yaml(folder, "workload.yaml", file)
    _refuse(name, problems)
    if "name" in document:
        raise WorkloadError(name, [Problem(file, "name", "is the folder's name; take it out")])
    workload, problems = validate(Workload, {"name": name, **document}, file)
    source, source_problems = _read(folder, "features.py", f"{shown}/features.py")
    source_problems = source_problems or check_features_source(source, f"{shown}/features.py")
    _refuse(name, problems + source_problems)

    workload._features_source = source
    _refuse(name, check_workload(workload, file))
    _refuse(name, _load_suites(workload, folder, f"{shown}/{workload.expectations}"))
    return workload


def discover(root: Traversable | None = None) -> tuple[list[Workload], list[WorkloadError]]:
    """Every workload that loads, by name, and an error for every folder that does not."""
    workloads, errors = [], []
    for name in sorted(_folders(_root(root))):
        try:
            workloads.append(load(name, root))
        except WorkloadError as error:
            errors.append(error)
    return workloads, errors


def _root(root: Traversable | None) -> Traversable:
    return files("include.workloads") if root is None else root


def _folders(root: Traversable) -> Iterator[str]:
    return (entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith((".", "_")))


def _load_suites(workload: Workload, folder: Traversable, file: str) -> list[Problem]:
    document, problems = _read_yaml(folder, workload.expectations, file)
    if problems:
        return problems
    problems = [
        Problem(file, name, "is not an event of this workload") for name in document if name not in workload.events
    ]
    for name in workload.events:
        if name not in document:
            problems.append(Problem(file, name, "is missing: say what is expected of this event type"))
            continue
        suite, mistakes = validate(Suite, document[name], file, name)
        problems += mistakes or _unknown_columns(workload, name, suite, file)
        workload._suites[name] = suite
    return problems


def _unknown_columns(workload: Workload, event_type: str, suite: Suite, file: str) -> list[Problem]:
    known = {column for column, _ in processed_columns(workload, event_type)}
    used = [("unique", column) for column in suite.unique]
    used += [
        (f"expectations.{i}", column)
        for i, expectation in enumerate(suite.expectations)
        for column in expectation.columns
    ]
    text = "{} is not a column of the processed table"
    return [
        Problem(file, f"{event_type}.{field}", text.format(column)) for field, column in used if column not in known
    ]


def _read_yaml(folder: Traversable, name: str, file: str) -> tuple[dict, list[Problem]]:
    text, problems = _read(folder, name, file)
    return ({}, problems) if problems else parse_yaml(text, file)


def _read(folder: Traversable, name: str, file: str) -> tuple[str, list[Problem]]:
    path = folder.joinpath(name)
    if not path.is_file():
        return "", [Problem(file, "", "does not exist")]
    try:
        return path.read_text(encoding="utf-8"), []
    except UnicodeDecodeError:
        return "", [Problem(file, "", "is not UTF-8 text")]


def _refuse(name: str, problems: list[Problem]) -> None:
    if problems:
        raise WorkloadError(name, problems)
