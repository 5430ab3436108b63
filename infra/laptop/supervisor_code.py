"""Which code a supervisor runs: it outlives the command that started it, and so an upgrade of the project.

A supervisor of other code may take what this version asks of it for something else, such as a specification with a new
field for one that was deleted. So a start ends it, whatever has changed (:func:`infra.laptop.stack.start`).
"""

from __future__ import annotations

import hashlib

from infra.laptop.config import ROOT

# All that it imports of the project, except what only names the project's folders (a test compares them).
FILES = (
    "infra/laptop/family.py",
    "infra/laptop/guard.py",
    "infra/laptop/output_pipes.py",
    "infra/laptop/processes.py",
    "infra/laptop/starts.py",
    "infra/laptop/supervisor.py",
    "infra/laptop/supervisor_code.py",
    "infra/localcloud/linux.py",
    "infra/localcloud/rotation.py",
)


def digest() -> str:
    """Identifies the supervisor's code as it is on disk now."""
    found = hashlib.sha256()
    for name in FILES:
        found.update(hashlib.sha256((ROOT / name).read_bytes()).digest())
    return found.hexdigest()
