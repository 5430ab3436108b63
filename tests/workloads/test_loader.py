"""A workload's folder loads from disk and from a zip archive; each folder that does not load gives an error."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from include.workloads import discover, load
from tests.support.tiny_workload import FEATURES, document, refusal, tiny_workload, write_workload

REPOSITORY = Path(__file__).parents[2]


def test_a_valid_folder_loads(tmp_path: Path) -> None:
    workload = tiny_workload(tmp_path)
    assert workload.name == "shop"
    assert workload.feature_event == "offered"
    assert workload.stream.name == "nightjar-shop"
    assert workload.joins[0].lead == timedelta(hours=1)
    assert workload.features == {"price": "number", "item": "category", "maker": "category"}
    assert workload.feature_code().features({"price": 3.0, "item": "a", "maker_name": None})["price"] == 1.5
    assert workload.feature_code_hash() == hashlib.sha256(FEATURES.encode()).hexdigest()
    assert workload.suites["offered"].expectations[0].arguments == {"column": "item", "mostly": 0.95}


def test_on_in_yaml_is_a_word_and_not_true(tmp_path: Path) -> None:
    text = (REPOSITORY / "include/workloads/flights/workload.yaml").read_text()
    assert "on: {origin: origin}" in text
    assert load("flights").joins[0].on == {"origin": "origin"}


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    text = refusal(tmp_path, workload=document(owner=..., quality__bar=2), features="import numpy\n")
    assert len(text.splitlines()) == 3


def test_discover_returns_the_good_folders_and_an_error_for_each_bad_one(tmp_path: Path) -> None:
    write_workload(tmp_path, "good")
    write_workload(tmp_path, "bad", document(owner=...))
    (tmp_path / "empty").mkdir()
    (tmp_path / "__pycache__").mkdir()
    workloads, errors = discover(tmp_path)
    assert [workload.name for workload in workloads] == ["good"]
    assert [error.workload for error in errors] == ["bad", "empty"]
    assert "empty/workload.yaml: does not exist" in str(errors[1])


def test_discover_may_load_one_folder_only(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_workload(tmp_path, name)
    workloads, errors = discover(tmp_path, only="one")
    assert ([workload.name for workload in workloads], errors) == (["one"], [])
    assert [error.workload for error in discover(tmp_path, only="none")[1]] == ["none"]


def _features_exit(folder: Path) -> None:
    (folder / "features.py").write_text("import sys\nsys.exit()\n")


def _unhashable_key(folder: Path) -> None:
    (folder / "workload.yaml").write_text("? [a]\n: b\n")


def _recursive_yaml(folder: Path) -> None:
    (folder / "workload.yaml").write_text("request: &a {x: *a}\n")


def _deep_yaml(folder: Path) -> None:
    (folder / "expectations.yaml").write_text("rated: " + "[" * 5000)


def _folder_as_file(folder: Path) -> None:
    (folder / "features.py").unlink()
    (folder / "features.py").mkdir()


def _null_bytes(folder: Path) -> None:
    (folder / "features.py").write_bytes(b"\x00")


@pytest.mark.parametrize(
    "spoil", [_features_exit, _unhashable_key, _recursive_yaml, _deep_yaml, _folder_as_file, _null_bytes]
)
def test_no_content_of_a_folder_takes_the_others_down(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    write_workload(tmp_path, "good")
    spoil(write_workload(tmp_path, "bad"))
    workloads, errors = discover(tmp_path)
    assert [workload.name for workload in workloads] == ["good"]
    assert [error.workload for error in errors] == ["bad"] and f"{tmp_path}/bad" in str(errors[0])


def test_the_projects_own_workloads_load() -> None:
    workloads, errors = discover()
    assert errors == []
    assert "flights" in [workload.name for workload in workloads]


def test_loads_from_a_zip_archive_as_on_glue(tmp_path: Path) -> None:
    archive = tmp_path / "include.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (REPOSITORY / "include").rglob("*"):
            if path.suffix in (".py", ".yaml", ".json") and "glue" not in path.parts:
                file.write(path, path.relative_to(REPOSITORY))
    code = (
        "import include, include.workloads as w; print(include.__file__, w.load('flights').name, len(w.discover()[0]))"
    )
    environment = {"PYTHONPATH": str(archive)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    imported_from, name, found = done.stdout.split()
    assert imported_from.startswith(str(archive)) and name == "flights" and int(found) >= 1


def test_importing_is_light() -> None:
    code = (
        "import sys, include.workloads as w; w.load('flights');"
        "print(sorted({'pandas', 'numpy', 'pyarrow', 'boto3', 'airflow', 'pyspark'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
