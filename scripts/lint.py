"""``make lint``: runs every linter, even if another one fails.

``python -m scripts.lint mypy codespell`` runs only the named ones. They are installed in the test environment and
configured in pyproject.toml.
"""

from __future__ import annotations

import argparse
import os
import sys

from scripts import steps
from scripts.steps import HOME, ROOT, Step

BIN = HOME / "venvs" / "test" / "bin"


def linters() -> dict[str, Step]:
    """The linters by name, the slowest first."""
    shell_scripts = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "scripts").glob("*.sh"))]
    commands: dict[str, tuple[str, ...]] = {
        "mypy": ("mypy",),
        "import-linter": ("lint-imports",),
        "sqlfluff": ("sqlfluff", "lint", "include/sql"),
        "codespell": ("codespell",),
        "ruff-check": ("ruff", "check", "--output-format", "concise", "."),
        "ruff-format": ("ruff", "format", "--check", "."),
        "shellcheck": ("shellcheck", *shell_scripts, ".ci/run"),
    }
    # Only import-linter imports the packages; mypy and ruff have their paths from pyproject.toml.
    env = {"import-linter": {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")])}}
    return {
        name: Step(f"lint: {name}", (BIN / program, *arguments), env.get(name, {}))
        for name, (program, *arguments) in commands.items()
    }


def main() -> int:
    """Runs the linters.

    Returns:
        1 when any failed, else 0.
    """
    known = linters()
    parser = argparse.ArgumentParser(prog="python -m scripts.lint", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"linters to run, of {', '.join(known)}; all when none is named")
    names = parser.parse_args().names or list(known)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"unknown linter {', '.join(unknown)}; choose from {', '.join(known)}")
    failed = [result.name for result in steps.run([known[name] for name in names], at_once=2) if result.code]
    print(f"\nfailed: {', '.join(failed)}" if failed else f"\nno findings: {', '.join(names)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
