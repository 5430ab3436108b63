"""``make workload``: the folder that it lays out is a valid workload with a history."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.workloads import load
from infra.laptop.config import LaptopError
from infra.laptop.workload.__main__ import main
from infra.laptop.workload.new import TEMPLATE, lay_out


def test_the_new_folder_loads_under_its_name(tmp_path: Path) -> None:
    folder = lay_out("orders", tmp_path)
    workload = load("orders", tmp_path)
    assert (workload.name, workload.stream.name) == ("orders", "nightjar-orders")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {"workload.yaml", "features.py", "expectations.yaml", "history/history.toml", "history/source.py"}
    assert "${" not in "".join((folder / name).read_text() for name in files)
    assert all((TEMPLATE / name).is_file() for name in files)


@pytest.mark.parametrize("name", ["Orders", "o", "my-orders", "orders/../x", "9lives", "x" * 21])
def test_a_name_that_no_workload_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LaptopError, match="cannot be the name of a workload: it must have 2 to 20"):
        lay_out(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    lay_out("orders", tmp_path)
    (tmp_path / "orders" / "features.py").write_text("mine")
    with pytest.raises(LaptopError, match="exists already"):
        lay_out("orders", tmp_path)
    assert (tmp_path / "orders" / "features.py").read_text() == "mine"


def test_the_command_names_the_make_variable_that_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["new"])
    assert "NAME= is missing. For example: make workload NAME=orders" in capsys.readouterr().err
    assert main(["new", "--name", "Orders"]) == 1
    assert "'Orders' cannot be the name" in capsys.readouterr().err
