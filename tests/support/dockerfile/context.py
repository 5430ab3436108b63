"""The build context: what ``.dockerignore`` leaves of a folder."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path, PurePosixPath

from tests.support.dockerfile.instructions import DockerfileError


class Context:
    """The files of a repository that a build can see.

    Args:
        folder: Root of the repository.
        ignore: Text of ``.dockerignore``; by default that of the folder.
    """

    def __init__(self, folder: Path, ignore: str | None = None) -> None:
        text = (folder / ".dockerignore").read_text() if ignore is None else ignore
        lines = [line.strip() for line in text.splitlines()]
        self.folder = folder
        self._rules = [
            (line.startswith("!"), _pattern(line.removeprefix("!").strip("/")))
            for line in lines
            if line and not line.startswith("#")
        ]

    def includes(self, path: str) -> bool:
        """Whether a build sees this file: the last rule that matches the path or a folder of it decides."""
        places = [path, *(str(parent) for parent in PurePosixPath(path).parents if str(parent) != ".")]
        included = True
        for keep, pattern in self._rules:
            if any(pattern.fullmatch(place) for place in places):
                included = keep
        return included

    def files(self, source: str) -> list[str]:
        """The files of a COPY's source, which is a file or a folder, in order.

        Raises:
            DockerfileError: The context has no such file.
        """
        prefix = source.strip("/")
        found = [
            path for path in self._all() if (path == prefix or path.startswith(f"{prefix}/")) and self.includes(path)
        ]
        if not found:
            raise DockerfileError(f"COPY {source}: the context has no such file. Add it, or allow it in .dockerignore.")
        return found

    def _all(self) -> list[str]:
        """What git has or would add, so that a cache of this machine is in no image."""
        if not (self.folder / ".git").exists():
            paths = (path for path in self.folder.rglob("*") if path.is_file())
            return sorted(str(path.relative_to(self.folder)) for path in paths)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return sorted(path for path in listed.stdout.split("\0") if path and (self.folder / path).is_file())


def _pattern(text: str) -> re.Pattern[str]:
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(parts.get(token) or re.escape(token) for token in re.findall(r"\*\*/|\*\*|.", text)))
