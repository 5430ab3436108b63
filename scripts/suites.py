"""The suites that ``make test`` runs, and the environment of each.

A runtime's unit tests are the tests in its folders that have none of the markers in ``MARKERS``. They run in the
runtime's own environment, so they fail when its requirement file lacks a package. All other tests run in the test
environment, which has the packages of all runtimes: a runtime's tests with servers or Spark, the tests that are in no
runtime's folder, the tests of Terraform, and the end-to-end tests. This file imports only the standard library, because
every environment imports it.
"""

from __future__ import annotations

import ast
from pathlib import PurePath

# environment -> folders, the slowest first
SUITES = {
    "airflow": ("tests/plugins", "tests/models_page", "tests/pipelines", "tests/dags"),
    "training": ("tests/model", "tests/training"),
    "serving": ("tests/serving",),
    "localcloud": ("tests/localcloud",),
    "laptop": ("tests/laptop",),
    "glue": ("tests/workloads", "tests/lake", "tests/glue"),
}
MARKERS = ("stack", "spark", "e2e")
UNIT = " and ".join(f"not {marker}" for marker in MARKERS)  # as an argument of pytest's -m
SERVERS = "(stack or spark) and not e2e"
REST, E2E, TERRAFORM = "rest", "e2e", "terraform"  # the suites that are no runtime's
TERRAFORM_FOLDER = "tests/terraform"


def with_servers(runtime: str) -> str:
    """The name of the suite with a runtime's tests that start servers or Spark."""
    return f"{runtime}-servers"


# The suites with servers or Spark, the slowest first
SERVER_SUITES = (
    *(with_servers(name) for name in ("localcloud", "airflow")),
    REST,
    *(with_servers(name) for name in ("serving", "glue", "laptop", "training")),
)


def module_markers(source: str) -> set[str]:
    """The markers in ``MARKERS`` that a test module's ``pytestmark`` gives to all its tests."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            return {part.attr for part in ast.walk(node.value) if isinstance(part, ast.Attribute)} & set(MARKERS)
    return set()


def runtime_of(path: PurePath) -> str | None:
    """The runtime whose folder has a file or folder, if any.

    Args:
        path: Relative to the root of the repository.
    """
    return next((name for name, folders in SUITES.items() if any(path.is_relative_to(f) for f in folders)), None)
