"""Another commit of this repository, to compare with."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.errors import BenchmarkError

ROOT = Path(__file__).parents[1]
BASE = "abd00c0"  # the last commit whose local cloud was moto with few changes


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """A worktree of a commit, with this tree's environments."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "base"
        made = subprocess.run(["git", "worktree", "add", "--detach", str(tree), commit], cwd=ROOT, capture_output=True)
        if made.returncode:
            raise BenchmarkError(f"git cannot check out {commit}: {made.stderr.decode().strip()}")
        try:
            (tree / ".nightjar").symlink_to((ROOT / ".nightjar").resolve())
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)
