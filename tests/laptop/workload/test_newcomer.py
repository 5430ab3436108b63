"""``make newcomer`` runs what docs/workload.md shows; the run itself, with a stack, is a part of ``make soak``."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.newcomer import PAGE, commands, follow
from tests.support.product_home import ROOT

PORTS = (20001, 20002, 20003)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with the page, and programs that note how they were called; curl answers."""
    (tmp_path / "docs").mkdir()
    (tmp_path / PAGE).write_text((ROOT / PAGE).read_text())
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, rest in (("make", 'test "$1" != "$FAILING"'), ("curl", "echo '{\"prediction\": 1}'")):
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" $NIGHTJAR_SERVICE_PORT >>called\n{rest}\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("NIGHTJAR_HOME", "/not/the/clones/own")
    return tmp_path


def test_the_page_leads_from_nothing_to_a_prediction() -> None:
    first, *between, last = commands()
    assert first == "make workload NAME=orders"
    assert between == ["make validate WORKLOAD=orders", "make run WORKLOAD=orders"]
    assert last.startswith("curl -X POST http://127.0.0.1:8002/predict ")


def test_each_command_is_run_with_ports_of_its_own(folder: Path) -> None:
    _, answer = follow(folder, PORTS)
    assert answer == {"prediction": 1}
    called = (folder / "called").read_text().splitlines()
    assert called[:3] == [f"{command} 20003" for command in commands()[:3]]
    assert called[3].startswith("curl -X POST http://127.0.0.1:20005/predict -H content-type: application/json -d {")


def test_nothing_is_run_after_a_command_that_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILING", "validate")
    with pytest.raises(subprocess.CalledProcessError, match="validate"):
        follow(folder, PORTS)
    assert len((folder / "called").read_text().splitlines()) == 2
