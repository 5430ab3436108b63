"""``python -m scripts.static_keys FILE …``: refuses access keys of AWS in workflows. GitHub's jobs get roles by OIDC.

The scanners of workflows do not find a key that is kept as a secret of the repository.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

KEY = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|aws[-_](?:access[-_]key[-_]id|secret[-_]access[-_]key|session[-_]token)",
    re.IGNORECASE,
)


def problems(file: Path) -> list[str]:
    """The lines of a file with an access key, or with a name of one."""
    return [
        f"{file}:{number}: {found[0]}: a workflow has no access key; it assumes a role by OIDC (role-to-assume)"
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if (found := KEY.search(line))
    ]


def main() -> int:
    """Prints what is wrong.

    Returns:
        1 when anything is, else 0.
    """
    files = [Path(name) for name in sys.argv[1:]]
    wrong = [problem for file in files for problem in problems(file)]
    print("\n".join(wrong) or f"{len(files)} files without an access key")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
