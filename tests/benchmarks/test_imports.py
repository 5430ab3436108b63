"""The imports of small DAG files, measured in processes that have imported Airflow."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import imports
from benchmarks.errors import BenchmarkError

pytestmark = pytest.mark.stack


def test_airflow_is_imported_before_a_file_is_measured(tmp_path: Path) -> None:
    checks = [f"assert {name!r} in sys.modules" for name in imports.IMPORTED]
    (tmp_path / "a.py").write_text("\n".join(["import sys", *checks, "assert __file__.endswith('a.py')"]))
    measured = imports.measure(Path(sys.executable), tmp_path)
    assert set(measured) == {"a.py"}


def test_a_file_that_cannot_be_imported_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import no_such_module\n")
    with pytest.raises(BenchmarkError, match=r"(?s)no_such_module.*bad.py cannot be imported"):
        imports.measure(Path(sys.executable), tmp_path)
