"""A small release, as ``make package`` would build it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from infra.package.release import MANIFEST, Release, read

CODE_SHA = "0123456789ab"
REFERENCES = {name: f"registry/{name}@sha256:{'0' * 64}" for name in ("serving", "training")}
FILES = {
    "mwaa/plugins.zip": b"plugins",
    "mwaa/requirements.txt": b"requirements",
    "mwaa/dags/deploy.py": b"dag",
    "code/transform.py": b"transform",
}


def small_release(folder: Path, code_sha: str = CODE_SHA, changed: tuple[str, ...] = (), **other: bytes) -> Release:
    """Writes a release; ``other`` replaces the content of ``plugins`` and so on."""
    files = {name: other.get(Path(name).stem, body) for name, body in FILES.items()}
    for name, body in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    listed: dict[str, Any] = {
        name: {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)} for name, body in files.items()
    }
    manifest = {"code_sha": code_sha, "git_sha": code_sha, "changed": list(changed), "files": listed}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return read(folder)
