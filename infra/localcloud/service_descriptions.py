"""What botocore reads of AWS's descriptions of its services, without what nobody here reads.

More than half of a description is documentation. moto and the clients of this server read forty of them, and each
stays in memory: once, though both read it, unless one of them adds to it.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader, Loader


class WithoutDocumentation(JSONFileLoader):
    """Reads a file of botocore's, and gives all loaders the same dicts."""

    def load_file(self, file_path: str) -> Any:
        """What the file says, or None if there is none."""
        return self.read(file_path) if self._is_added_to(file_path) else _read_once(file_path)

    def read(self, file_path: str) -> Any:
        """The same, for this call alone."""
        return without_documentation(super().load_file(file_path))

    def _is_added_to(self, file_path: str) -> bool:
        """Whether a loader adds to what it reads there. moto's loader adds other things than botocore's."""
        file = Path(file_path)
        service, version = file.parent.parent.name.replace("-", ""), file.parent.name
        by_moto = [str(folder / service / version / f"{file.name}.moto-extras") for folder in _moto()]
        return any(map(self.exists, [*by_moto, f"{file}.sdk-extras"]))


@cache
def _moto() -> list[Path]:
    """The folder of moto, if it is installed. It is not imported: it reads the server's settings then."""
    found = find_spec("moto")
    return [Path(folder) for folder in (found and found.submodule_search_locations) or ()]


@cache
def _read_once(file_path: str) -> Any:
    return WithoutDocumentation().read(file_path)


def without_documentation(value: Any) -> Any:
    """A description in plain dicts, which are smaller than botocore's, in which texts for people are empty.

    A member of the name ``documentation`` stays: its value is a description, no text.
    """
    if isinstance(value, dict):
        return {
            name: "" if name == "documentation" and isinstance(inner, str) else without_documentation(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [without_documentation(inner) for inner in value]
    return sys.intern(value) if isinstance(value, str) else value  # the same few names, thousands of times


def read_descriptions_without_documentation() -> None:
    """Has botocore, and moto with it, read so from now on."""
    Loader.FILE_LOADER_CLASS = WithoutDocumentation
