"""Programs on the PATH that record how they were called, and do what a test asks for."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
name, arguments = {name!r}, sys.argv[1:]
given = "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
with (folder / "calls.jsonl").open("a") as file:
    file.write(json.dumps([name, arguments, given]) + "\\n")
for rule in json.loads((folder / (name + ".json")).read_text()):
    if all(part in arguments for part in rule["when"]):
        for path, content in rule.get("writes", {{}}).items():
            option = next(a for a in arguments if a.startswith(path))
            pathlib.Path(option.removeprefix(path)).write_text(content)
        print(rule.get("prints", ""))
        sys.exit(rule.get("code", 0))
"""


class FakePrograms:
    """Their folder is first on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, *rules: dict[str, Any]) -> None:
        """Adds a program.

        Args:
            name: The program.
            rules: The first whose ``when`` is among the arguments decides: what it ``prints``, its exit ``code``, and
                which files it ``writes`` (option prefix → content).
        """
        (self.folder / f"{name}.json").write_text(json.dumps(rules))
        program = self.folder / name
        program.write_text(PROGRAM.format(python=sys.executable, folder=str(self.folder), name=name))
        program.chmod(0o755)

    def calls(self, name: str) -> list[list[str]]:
        """The arguments of each call of a program."""
        return [arguments for called, arguments, _ in self._recorded() if called == name]

    def given(self, name: str) -> list[str]:
        """What each call of a program read from its standard input."""
        return [given for called, _, given in self._recorded() if called == name]

    def _recorded(self) -> list[Any]:
        file = self.folder / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePrograms:
    """No program at first; git and the shell are found behind them."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return FakePrograms(folder)
