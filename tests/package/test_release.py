"""What a release holds, and that the same commit gives the same bytes."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.package import release
from infra.package.build import BUILD_FILE
from infra.package.release import Release, ReleaseError
from tests.support.source_trees import git

Tree = Callable[[str], Path]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    file = tmp_path / "thing-1.0-py3-none-any.whl"
    file.write_bytes(b"wheel")
    return file


def build(root: Path, wheel: Path) -> Release:
    return release.build(root / "dist", mwaa_wheels=[wheel], glue_wheels=[wheel], root=root)


def content(made: Release) -> dict[str, bytes]:
    return {str(file.relative_to(made.folder)): file.read_bytes() for file in made.folder.rglob("*") if file.is_file()}


def test_the_same_commit_gives_the_same_bytes_in_another_folder_at_another_time(source_tree: Tree, wheel: Path) -> None:
    first, second = source_tree("first"), source_tree("a second folder")
    for file in second.rglob("*"):
        os.utime(file, (1, 1))
        if file.is_file() and ".git" not in file.parts:
            file.chmod(0o755)
    git(second, "config", "core.fileMode", "false")
    (second / "include" / "__pycache__").mkdir()
    (second / "include" / "__pycache__" / "settings.pyc").write_bytes(b"x")
    assert content(build(first, wheel)) == content(build(second, wheel))


def test_a_change_of_one_file_changes_the_release(source_tree: Tree, wheel: Path) -> None:
    root = source_tree("tree")
    before = content(build(root, wheel))
    (root / "dags" / "deploy.py").write_text("A = 1\n")
    git(root, "commit", "-qam", "second")
    assert content(build(root, wheel)) != before


def test_it_holds_what_mwaa_and_glue_get(source_tree: Tree, wheel: Path) -> None:
    made = build(source_tree("tree"), wheel)
    mwaa, code = made.files("mwaa"), made.files("code")
    assert {"plugins.zip", "requirements.txt", "dags/deploy.py", "dags/include/settings.py"} <= set(mwaa)
    assert {"transform.py", "audit.py", "include.zip", "glue.gluewheels.zip"} <= set(code)
    stamps = [json.loads((made.folder / "mwaa/dags/include" / BUILD_FILE).read_text())["code_sha"]]
    with zipfile.ZipFile(mwaa["plugins.zip"]) as plugins:
        assert {".airflowignore", "nightjar_plugin.py", "nightjar/runs.py", wheel.name} <= set(plugins.namelist())
        assert not [info for info in plugins.infolist() if info.external_attr >> 16 != 0o644]
        stamps.append(json.loads(plugins.read(f"nightjar/{BUILD_FILE}"))["code_sha"])
    assert stamps == [made.code_sha] * 2
    assert mwaa["requirements.txt"].read_text().startswith("--find-links /usr/local/airflow/plugins\n--no-index\n")


def test_the_zip_of_wheels_lists_its_wheels(source_tree: Tree, wheel: Path) -> None:
    made = build(source_tree("tree"), wheel)
    with zipfile.ZipFile(io.BytesIO(made.files("code")["glue.gluewheels.zip"].read_bytes())) as wheels:
        assert wheels.namelist() == ["wheels/requirements.txt", f"wheels/{wheel.name}"]
        assert wheels.read("wheels/requirements.txt") == b"thing==1.0\n"


def test_each_lambda_is_an_archive_of_its_own(source_tree: Tree, wheel: Path) -> None:
    root = source_tree("tree")
    (root / "infra" / "lambdas" / "sweep").mkdir(parents=True)
    (root / "infra" / "lambdas" / "sweep" / "main.py").write_text("A = 1\n")
    with zipfile.ZipFile(build(root, wheel).files("code")["sweep.zip"]) as archive:
        assert archive.namelist() == ["infra/lambdas/sweep/main.py"]


@pytest.mark.parametrize("file", ["dags/deploy.py", "requirements.txt", "include/settings.py"])
def test_changes_that_are_not_committed_are_recorded(source_tree: Tree, wheel: Path, file: str) -> None:
    root = source_tree("tree")
    assert build(root, wheel).manifest["changed"] == []
    (root / file).write_text((root / file).read_text() + "# A comment\n")
    assert [line.split()[-1] for line in build(root, wheel).manifest["changed"]] == [file]


def test_a_file_of_another_build_does_not_stay(source_tree: Tree, wheel: Path) -> None:
    root = source_tree("tree")
    made = build(root, wheel)
    (made.folder / "mwaa" / "dags" / "old.py").write_text("A = 1\n")
    assert "mwaa/dags/old.py" not in content(build(root, wheel))


def test_a_release_is_read_only_if_every_file_is_as_it_was_built(source_tree: Tree, wheel: Path) -> None:
    made = build(source_tree("tree"), wheel)
    assert release.read(made.folder) == made
    made.files("mwaa")["requirements.txt"].write_text("other\n")
    with pytest.raises(ReleaseError, match=r"requirements.txt is not the file that release.json lists"):
        release.read(made.folder)
    with pytest.raises(ReleaseError, match="make package"):
        release.read(made.folder / "nothing")
