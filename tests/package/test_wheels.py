"""Wheels are downloaded by their hashes."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from infra.package.tree import ROOT
from infra.package.wheels import MWAA, Target, WheelError, fetch, requirements
from scripts.steps import HOME

LOCK = (
    "a==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\nb-c==2 ; sys_platform == 'win32' \\\n    --hash=sha256:3\n"
)


def test_an_entry_is_left_out_with_its_hashes() -> None:
    assert requirements(LOCK) == LOCK
    assert requirements(LOCK, {"a"}) == LOCK[LOCK.index("b-c") :]


def test_the_lock_of_mwaa_has_what_requirements_txt_asks_for() -> None:
    asked = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    lock = (ROOT / MWAA.lock).read_text()
    assert asked and [line for line in asked if f"\n{line} " not in f"\n{lock}"] == []


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder with one wheel."""
    folder = tmp_path / "house"
    folder.mkdir()
    with zipfile.ZipFile(folder / "thing-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("thing.py", "")
        wheel.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        wheel.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("thing-1.0.dist-info/RECORD", "")
    return folder


@pytest.mark.stack  # starts pip
@pytest.mark.parametrize("right", [True, False])
def test_a_wheel_with_another_hash_is_refused(house: Path, right: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wheel = house / "thing-1.0-py3-none-any.whl"
    digest = hashlib.sha256(wheel.read_bytes() if right else b"").hexdigest()
    (house / "lock.txt").write_text(f"thing==1.0 \\\n    --hash=sha256:{digest}\n")
    python = HOME / "uv" / "bin" / "python"
    target = Target(Path("lock.txt"), "3.12")
    if right:
        assert fetch(house, target, python, house) == [wheel]
    else:
        with pytest.raises(WheelError, match="make lock"):
            fetch(house, target, python, house)


def test_without_pip_the_error_has_its_text(house: Path, tmp_path: Path) -> None:
    (house / "lock.txt").write_text("thing==1.0 \\\n    --hash=sha256:0\n")
    python = tmp_path / "python"
    python.write_text(f"#!{sys.executable}\nimport sys; sys.exit('No module named pip')\n")
    python.chmod(0o755)
    with pytest.raises(WheelError, match="No module named pip"):
        fetch(house, Target(Path("lock.txt"), "3.12"), python, house)
