"""Which modules of ``include/`` an entry point uses: the import statements, followed from file to file."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = "include"


def modules_used(root: Path, entries: Iterable[str]) -> list[Path]:
    """Returns the files of the modules that the entry points import, directly or not, and their own; sorted.

    Imports inside functions count, those for type checkers only do not. What imports by name at run time
    (``importlib``) is not followed.

    Args:
        root: The folder that holds the package ``include``.
        entries: Dotted names of the entry points.
    """
    found: set[Path] = set()
    waiting = list(entries)
    while waiting:
        for file in _files(root, waiting.pop()):
            if file not in found:
                found.add(file)
                waiting += _imported(file, root)
    return sorted(found)


def modules_used_by(root: Path, outside: Iterable[Path]) -> list[Path]:
    """Returns the files of the modules that files outside the package import, directly or not; sorted.

    Args:
        root: The folder that holds the package ``include``.
        outside: Python files that are not part of it.
    """
    return modules_used(root, [name for file in outside for name in _imported(file, root)])


def _files(root: Path, module: str) -> Iterator[Path]:
    """The file of a module and those of the packages around it; nothing for a name that is no module."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        path = root.joinpath(*parts[:length])
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.is_file():
                yield file


def _imported(file: Path, root: Path) -> Iterator[str]:
    """Names that may be modules of the package: ``from a import b`` gives both ``a`` and ``a.b``."""
    for node in _executed(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE)
        elif isinstance(node, ast.ImportFrom):
            base = (node.module or "").split(".") if node.module else []
            if node.level:
                base = [*file.relative_to(root).parts[: -node.level], *base]
            if base and base[0] == PACKAGE:
                yield from (".".join([*base, alias.name]) for alias in node.names)


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes below ``tree`` without the bodies of ``if TYPE_CHECKING:``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for other in node.orelse:
                yield other
                yield from _executed(other)
            continue
        yield node
        yield from _executed(node)
