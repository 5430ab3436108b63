"""The stamps that packaging writes: which build the plugins and ``include`` are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nightjar import build


@pytest.fixture
def build_stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Plugins of build ``abc``; the stamp of an ``include`` of the same build."""
    stamp = tmp_path / "_build.json"
    stamp.write_text(json.dumps({"code_sha": "abc", "process_code": "shared"}))
    monkeypatch.setattr(build, "OWN_BUILD_FILE", stamp)
    return stamp
