"""``make lint``: runs every linter, even if another one fails.

``python -m scripts.lint mypy codespell`` runs only the named ones. They are installed in the test environment
(configured in pyproject.toml) or the scan environment (configured in infra/scan).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from scripts import steps
from scripts.steps import HOME, ROOT, Step

VENVS = HOME / "venvs"
SCAN = ROOT / "infra" / "scan"
WORKFLOWS = (".github/workflows", "*.yml")


def linters(root: Path = ROOT) -> dict[str, Step]:
    """The linters by name, the slowest first.

    Args:
        root: The tree whose scripts, workflows and Dockerfiles are named.
    """

    def files(folder: str, pattern: str) -> list[str]:
        return [str(path.relative_to(root)) for path in sorted((root / folder).glob(pattern))]

    commands: dict[str, tuple[str, ...]] = {  # environment, program, arguments
        "checkov": ("scan", "checkov", "--config-file", str(SCAN / "checkov.yaml")),
        "mypy": ("test", "mypy"),
        "policies": ("test", "python", "-m", "scripts.scan_policies"),
        "import-linter": ("test", "lint-imports"),
        "sqlfluff": ("test", "sqlfluff", "lint", "include/sql"),
        "codespell": ("test", "codespell"),
        "ruff-check": ("test", "ruff", "check", "--output-format", "concise", "."),
        "ruff-format": ("test", "ruff", "format", "--check", "."),
        "shellcheck": ("test", "shellcheck", *files("scripts", "*.sh"), ".ci/run"),
        "static-keys": ("test", "python", "-m", "scripts.static_keys", *files(*WORKFLOWS)),
        "zizmor": ("scan", "zizmor", "--offline", "--quiet", "--config", str(SCAN / "zizmor.yml"), ".github"),
        "actionlint": (
            *("scan", "actionlint", "-no-color", "-config-file", str(SCAN / "actionlint.yaml"), "-pyflakes="),
            *("-shellcheck", str(VENVS / "test" / "bin" / "shellcheck"), *files(*WORKFLOWS)),
        ),
        "hadolint": (
            *("scan", "hadolint", "--no-color", "--config", str(SCAN / "hadolint.yaml")),
            *(*files("serving", "Dockerfile"), *files("include/training", "Dockerfile")),
        ),
    }
    # Only import-linter imports the packages; mypy and ruff have their paths from pyproject.toml.
    env = {"import-linter": {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")])}}
    return {
        name: Step(f"lint: {name}", (VENVS / environment / "bin" / program, *arguments), env.get(name, {}))
        for name, (environment, program, *arguments) in commands.items()
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
