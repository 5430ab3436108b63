"""The build that runs: plugins and ``include`` must be of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nightjar import build


@pytest.fixture
def stamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Returns two equal build files: of the plugins and of ``include``."""
    plugins, include = tmp_path / "plugins.json", tmp_path / "include.json"
    for file in (plugins, include):
        file.write_text(json.dumps({"code_sha": "abc"}))
    monkeypatch.setattr(build, "OWN_BUILD_FILE", plugins)
    return plugins, include


def test_one_build(stamps: tuple[Path, Path]) -> None:
    assert build.code_sha(stamps[1]) == "abc"


def test_two_builds_fail_and_say_what_to_do(stamps: tuple[Path, Path]) -> None:
    stamps[0].write_text(json.dumps({"code_sha": "old"}))
    with pytest.raises(
        ValueError, match=r"plugins are of build old, dags/include of build abc: upload plugins\.zip and dags"
    ):
        build.code_sha(stamps[1])


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("text", [None, "", "{}"])
def test_code_that_was_never_stamped_fails(stamps: tuple[Path, Path], which: int, text: str | None) -> None:
    stamps[which].unlink() if text is None else stamps[which].write_text(text)
    with pytest.raises(ValueError, match=rf"{stamps[which].name} is missing or unreadable.*Package the code first"):
        build.code_sha(stamps[1])
