"""The archive of ``include/``."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

from infra.package.glue import ARCHIVE, scripts_and_archive


def test_it_depends_on_names_and_contents_only(tmp_path: Path) -> None:
    glue = tmp_path / "include" / "glue"
    glue.mkdir(parents=True)
    for name in ("transform", "audit"):
        (glue / f"{name}.py").write_text("A = 1\n")
    first = scripts_and_archive(tmp_path)
    os.utime(glue / "audit.py", (1, 1))
    (glue / "__pycache__").mkdir()
    (glue / "__pycache__" / "audit.pyc").write_bytes(b"x")
    history = tmp_path / "include" / "workloads" / "shop" / "history"  # for the laptop only
    history.mkdir(parents=True)
    (history / "source.py").write_text("A = 1\n")
    assert scripts_and_archive(tmp_path) == first
    with zipfile.ZipFile(io.BytesIO(first[ARCHIVE])) as archive:
        assert archive.namelist() == ["include/glue/audit.py", "include/glue/transform.py"]
