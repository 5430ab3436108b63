"""Rules for the tests: what a test may import, where it is, and that it uses public names only."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))

# Folders of tests and their source folder; any other folder is one of include/.
SOURCES = {
    "plugins": "plugins/nightjar",
    "models_page": "plugins/models_page",
    "serving": "serving",
    "dags": "dags",
    "localcloud": "infra/localcloud",
    "laptop": "infra/laptop",
    "package": "infra/package",
    "cost": "infra/cost",
    "delivery": "infra/delivery",
    "lambdas": "infra/lambdas",
    "airflow_api": "infra/airflow_api",
    "benchmarks": "benchmarks",
    "scripts": "scripts",
    "terraform": "infra/terraform",
}
WITHOUT_SOURCE = {
    "tests/policy": "rules for the whole tree",
    "tests/e2e": "the whole stack",
    "tests/images": "the Dockerfiles, executed without an engine",
    "tests/support": "helpers and fixtures",
    "tests/support/dockerfile": "builds a Dockerfile and runs its image, without an engine",
    "tests/accessibility": "every page for people, in one browser",
    "tests/plugins/on_airflow": "what only a real Airflow shows, which is started once for them",
    "tests/serving/cloud": "the service as ECS runs it: load balancer, redeploys, failures",
}
# Names with an underscore that their library documents or does not offer otherwise.
PUBLIC_NAMES = {
    "_replace": "a public method of named tuples",
    "_asdict": "a public method of named tuples",
    "_exit": "os._exit",
    "_baseline_prediction": "scikit-learn has no other access to the constant term of its boosted trees",
}

Rule = Callable[[Path, ast.Module], Iterator[tuple[int, str]]]


def imported_modules(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The module of every absolute import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [f"tests.{alias.name}" for alias in node.names] if node.module == "tests" else [node.module]
            yield from ((node.lineno, module) for module in modules)


def imports_of_tests(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Imports of a test module, a conftest or another module outside ``tests.support``."""
    for line, module in imported_modules(tree):
        if module.startswith("tests.") and not (module + ".").startswith("tests.support."):
            yield line, f"imports {module}: move what it needs to tests/support"


def relative_imports(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node.lineno, f"relative import of {'.' * node.level}{node.module or ''}"


def private_names(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Uses of another object's underscore names: as an attribute, in an import, or as text in setattr and the like."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"import of {alias.name}") for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.Call):
            function = ast.unparse(node.func).rsplit(".", 1)[-1]
            for argument in node.args if function in ("getattr", "setattr", "delattr") else []:
                name = argument.value if isinstance(argument, ast.Constant) else None
                if isinstance(name, str) and is_private(name.rsplit(".", 1)[-1]):
                    yield node.lineno, f"{function} of {name}"


def is_private(name: str) -> bool:
    return bool(re.match(r"_[^_]", name)) and name not in PUBLIC_NAMES


def misplaced_helpers(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Modules that are neither tests nor fixtures, outside ``tests/support``."""
    is_test = path.name.startswith("test_") or path.name in ("conftest.py", "__init__.py")
    if not is_test and path.parts[1] != "support":
        yield 1, "is neither a test nor a conftest: move it to tests/support"


def unused_import_exemptions(source: str) -> Iterator[tuple[int, str]]:
    """Fixtures that are imported for their side effect; a conftest lists them in ``__all__`` instead."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and re.search(r"noqa\b.*F401", token.string):
            yield token.start[0], token.string


def offences(rule: Rule) -> list[str]:
    """``file:line: text`` of everything that breaks the rule."""
    return [
        f"{path}:{line}: {text}"
        for path in FILES
        for line, text in sorted(rule(path, ast.parse((ROOT / path).read_text())))
    ]


def source_folder(folder: Path) -> Path:
    """The folder that a folder of tests mirrors."""
    _, name, *below = folder.parts
    return Path(SOURCES.get(name, f"include/{name}"), *below)


@pytest.mark.parametrize("rule", [imports_of_tests, relative_imports, private_names, misplaced_helpers])
def test_no_test_breaks_the_rule(rule: Rule) -> None:
    found = offences(rule)
    assert not found, "\n".join(found)


def test_no_import_is_exempt_from_being_used() -> None:
    found = [
        f"{path}:{line}: {text}" for path in FILES for line, text in unused_import_exemptions((ROOT / path).read_text())
    ]
    assert not found, "\n".join(found)


def test_folders_mirror_the_source_tree() -> None:
    folders = {path.parent for path in FILES} - {Path("tests")} - {Path(folder) for folder in WITHOUT_SOURCE}
    missing = {
        str(folder): str(source_folder(folder)) for folder in folders if not (ROOT / source_folder(folder)).is_dir()
    }
    assert missing == {}, "tests of a folder that does not exist: move them beside the tests of what they test"


def test_every_exempt_folder_exists() -> None:
    assert [folder for folder in WITHOUT_SOURCE if not (ROOT / folder).is_dir()] == []


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (imports_of_tests, "from tests.lake.test_days import at"),
        (imports_of_tests, "from tests.lake.conftest import at"),
        (imports_of_tests, "import tests.lake.cases"),
        (imports_of_tests, "from tests.lake import cases"),
        (imports_of_tests, "from tests import conftest"),
        (relative_imports, "from .conftest import at"),
        (relative_imports, "from . import cases"),
        (private_names, "service._jobs"),
        (private_names, "self.service._jobs = 3"),
        (private_names, "from include.lake import _days"),
        (private_names, "monkeypatch.setattr(lake, '_days', None)"),
        (private_names, "monkeypatch.setattr('include.lake._days', None)"),
        (misplaced_helpers, ""),
    ],
)
def test_a_rule_finds_an_offence(rule: Rule, source: str) -> None:
    assert len(list(rule(Path("tests/lake/cases.py"), ast.parse(source)))) == 1


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (imports_of_tests, "from tests.support.packages import package"),
        (imports_of_tests, "from tests.support import packages"),
        (relative_imports, "from tests.support import packages"),
        (private_names, "self._jobs = settings.__dict__"),
        (private_names, "row._replace(a=1)"),
        (misplaced_helpers, ""),
    ],
)
def test_a_rule_allows_the_rest(rule: Rule, source: str) -> None:
    assert list(rule(Path("tests/lake/test_days.py"), ast.parse(source))) == []


def test_an_exemption_is_found_in_comments_only() -> None:
    source = 'text = "noqa: F401"\nfrom a import b  # noqa: E402, F401\n'
    assert [line for line, _ in unused_import_exemptions(source)] == [2]
