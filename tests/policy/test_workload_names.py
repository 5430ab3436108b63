"""No line outside a workload's folder depends on its name, so a workload is added by a folder alone.

Tests, documentation and examples in help texts may use a name; benchmarks measure one workload and name it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKLOADS = ROOT / "include" / "workloads"
NAMES = sorted(folder.name for folder in WORKLOADS.iterdir() if (folder / "workload.yaml").is_file())
FOLDERS = ("dags", "plugins", "include", "serving", "infra", "scripts", ".github/workflows")
DATA = (".yaml", ".yml", ".tf", ".sql", ".toml", ".sh", ".json")
# A name that is also a word of the product (`POST /feedback`): a string of this word alone is no dependence.
WORDS = frozenset({"feedback"})
WRITTEN = ("infra/cost/plans",)  # Terraform's plans with all workloads, written by `make cost FRESH=1`


def product_files(folder: str) -> Iterator[Path]:
    """The files that run or configure the product, without the workloads' own folders."""
    left_out = [*(WORKLOADS / name for name in NAMES), *(ROOT / name for name in WRITTEN)]
    for path in (ROOT / folder).rglob("*"):
        if path.suffix in (".py", *DATA) and not any(path.is_relative_to(other) for other in left_out):
            yield path


def dependences(text: str, names: list[str], *, python: bool) -> Iterator[str]:
    """The parts of a file that depend on one of the names."""
    strings, code = _parts(text) if python else ([], text)
    for name in names:
        # The folder's path or module, and names that are derived from it: of streams, roles, services, groups.
        yield from re.findall(rf"workloads[/.]{name}\b|\bnightjar-{name}\b|default: {name}\b", code)
        if name in WORDS:
            compared = rf"(?:workload|name)\S* (?:==|!=|in|not in) [\[{{(]*'{name}'|\bload\('{name}'|'{name}_\w+'"
            yield from re.findall(compared, code)
        else:
            yield from (value for value in strings if value == name)


def _parts(text: str) -> tuple[list[str], str]:
    """The strings of a module, and its code; both without docstrings and comments, which may give examples."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            ast.get_docstring(node) is not None
        ):
            node.body[0] = ast.Pass()
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [value for value in constants if isinstance(value, str)], ast.unparse(tree)


def test_there_is_more_than_one_workload() -> None:
    assert len(NAMES) >= 2


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_product_file_depends_on_a_workloads_name(folder: str) -> None:
    found = {}
    for path in product_files(folder):
        if parts := sorted(set(dependences(path.read_text(), NAMES, python=path.suffix == ".py"))):
            found[str(path.relative_to(ROOT))] = parts
    assert found == {}, "what a workload needs belongs into its folder"


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("from include.workloads.shop.history import source", True),
        ("SOURCES = {'shop': 1}", True),
        ("if workload == 'shop': pass", True),
        ("path = ROOT / 'include/workloads/shop'", True),
        ("stream: nightjar-shop", False),
        ("workload: {type: string, default: shop}", False),
    ],
)
def test_a_dependence_is_found(text: str, python: bool) -> None:
    assert list(dependences(text, ["shop"], python=python))


@pytest.mark.parametrize(
    "text",
    [
        "if workload.name == 'feedback': pass",
        "if name in ('feedback', 'x'): pass",
        "load('feedback')",
        "dag = 'feedback_process'",
    ],
)
def test_a_dependence_on_a_name_that_is_also_a_word_is_found(text: str) -> None:
    assert list(dependences(text, ["feedback"], python=True))
    assert list(dependences("count['feedback'] += 1; route('/feedback')", ["feedback"], python=True)) == []


@pytest.mark.parametrize(
    "text", ["'''Like nightjar-shop.'''", "x = 1  # include/workloads/shop", "help('make process WORKLOAD=shop')"]
)
def test_an_example_is_none(text: str) -> None:
    assert list(dependences(text, ["shop"], python=True)) == []
