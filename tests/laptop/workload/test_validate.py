"""``make validate``: every mistake names file and field, and no folder hides another's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import include.workloads
from include.workloads import Workload, discover, load
from infra.laptop import history_source
from infra.laptop.config import LaptopConfig
from infra.laptop.workload import __main__ as command
from infra.laptop.workload import validate as validation
from infra.laptop.workload.new import lay_out


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A valid workload ``orders`` in a folder of workloads that the commands take for the real one."""
    made = lay_out("orders", tmp_path)
    monkeypatch.setattr(history_source, "WORKLOADS", tmp_path)
    monkeypatch.setattr(include.workloads, "__path__", [*include.workloads.__path__, str(tmp_path)])
    monkeypatch.setattr(validation, "discover", lambda: discover(tmp_path))
    monkeypatch.setattr(validation, "load", lambda name: load(name, tmp_path))
    yield made
    for name in [name for name in sys.modules if name.startswith("include.workloads.orders")]:
        del sys.modules[name]


@pytest.fixture
def config(tmp_path: Path) -> LaptopConfig:
    return LaptopConfig(home=tmp_path / "home")


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_new_folder_is_valid(folder: Path, config: LaptopConfig) -> None:
    assert validation.validate(config) == validation.validate(config, "orders") == {"orders": []}


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("workload.yaml", "seed: 13", "sed: 13", "orders/workload.yaml: model.sed: is not a field here"),
        ("features.py", "math.log1p", "math.log1", "orders/features.py: features: AttributeError"),
        ("expectations.yaml", "column: price", "column: prise", "prise is not a column of the processed table"),
        ("history/history.toml", "last_day = 2013-12-31", "", "history/history.toml cannot be used: lacks the field"),
        ("history/source.py", '"ordered", key', '"order", key', "'2013-01-01-0': order is not an event"),
        ("history/source.py", '"price": price', '"price": "dear"', "'2013-01-01-0': price: is not a number"),
        ("history/source.py", "SETTLED_AFTER = timedelta(hours=2)", "SETTLED_AFTER = timedelta(days=9)",
         "events() has no event of type settled on 2013-01-01"),
        ("history/source.py", "import random", "import randomly", "history/source.py cannot be used: ModuleNot"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(folder: Path, config: LaptopConfig, file: str, old: str, new: str, problem: str) -> None:
    replace(folder / file, old, new)
    (found,) = validation.validate(config)["orders"]
    assert problem in found, found


def test_a_broken_folder_hides_no_other(folder: Path, config: LaptopConfig) -> None:
    lay_out("spoiled", folder.parent)
    (folder.parent / "spoiled" / "workload.yaml").write_text("description: x\n")
    found = validation.validate(config)
    assert found["orders"] == [] and "spoiled/workload.yaml: owner: Field required" in found["spoiled"][0]


def test_further_checks_are_made(folder: Path, config: LaptopConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(workload: Workload, config: LaptopConfig) -> list[str]:
        return [f"{workload.name} is refused"]

    monkeypatch.setattr(validation, "CHECKS", (*validation.CHECKS, refuse))
    assert validation.validate(config) == {"orders": ["orders is refused"]}


def test_the_command_fails_when_a_folder_is_not_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["validate", "--workload", "orders"]) == 0
    replace(folder / "workload.yaml", "owner: nobody yet", "")
    assert command.main(["validate"]) == 1
    printed = capsys.readouterr().out
    assert "orders: valid" in printed and "orders: not valid\n" in printed and "owner: Field required" in printed
