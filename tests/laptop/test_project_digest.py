"""An edit of what DAG files import is noticed, so that they are parsed again."""

from __future__ import annotations

import os
from pathlib import Path

from include.build import BUILD_FILE
from infra.laptop.airflow import project_digest


def test_it_changes_with_every_file_that_may_be_imported(tmp_path: Path) -> None:
    (tmp_path / "workloads").mkdir()
    file = tmp_path / "workloads" / "workload.yaml"
    file.write_text("a: 1")
    seen = [project_digest([tmp_path])]
    assert project_digest([tmp_path]) == seen[0]
    file.write_text("a: 12")
    seen.append(project_digest([tmp_path]))
    os.utime(file, ns=(1, 1))
    seen.append(project_digest([tmp_path]))
    (tmp_path / "new.py").touch()
    seen.append(project_digest([tmp_path]))
    (tmp_path / "new.py").unlink()
    assert len(set(seen)) == 4 and project_digest([tmp_path]) == seen[2]
    (tmp_path / "new.cpython-312.pyc").touch()
    (tmp_path / BUILD_FILE.name).touch()
    assert project_digest([tmp_path]) == seen[2], "a compiled module is no edit, nor is the stamp of a start"
