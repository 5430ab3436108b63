"""The query templates as such: their text, how they are loaded, what they refuse."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import jinja2
import pytest

from include.sql import dataset_digest, dataset_select, dataset_unload
from include.sql.filters import identifier, literal, timestamp
from include.sql.rendering import render
from include.workloads import load

ROOT = Path(__file__).parents[2]
CUTOFF = datetime(2013, 5, 2, tzinfo=UTC)


def test_the_select_is_the_stored_text() -> None:
    """The text is part of a data set's version: another text would give the same rows a new version."""
    stored = Path(__file__).with_name("flights_dataset_select.sql").read_bytes()
    assert dataset_select(load("flights"), "nightjar", CUTOFF).encode() == stored


def test_unload_and_digest_are_of_the_same_select() -> None:
    flights = load("flights")
    select = dataset_select(flights, "nightjar", CUTOFF)
    assert select in dataset_unload(flights, "nightjar", CUTOFF, "s3://lake/datasets/")
    assert select in dataset_digest(flights, "nightjar", CUTOFF)


def test_a_value_that_is_not_given_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="is undefined"):
        render("dataset_unload.sql", location="s3://lake/datasets/")


def test_names_and_texts_are_quoted() -> None:
    assert identifier('a"b') == '"a""b"'
    assert literal("it's") == "'it''s'"
    assert timestamp(datetime.fromisoformat("2013-03-01T02:00:00+02:00")) == "timestamp '2013-03-01 00:00:00.000'"
    with pytest.raises(ValueError, match="no offset"):
        timestamp(datetime.fromisoformat("2013-03-01"))


def test_templates_are_found_in_a_zip_archive(tmp_path: Path) -> None:
    archive = tmp_path / "include.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        for path in (ROOT / "include").rglob("*"):
            if path.suffix in (".py", ".sql"):
                bundle.write(path, path.relative_to(ROOT))
    script = (
        "from include.sql import rendering\n"
        "assert '.zip' in rendering.__file__\n"
        "print(rendering.template_text('dataset_unload.sql'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(archive)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "partitioned_by" in done.stdout
