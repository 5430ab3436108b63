"""What botocore reads of AWS's descriptions of its services, without what nobody here reads.

More than half of a description is documentation. moto and the clients of this server read forty of them, and each
stays in memory.
"""

from __future__ import annotations

import sys
from typing import Any

from botocore.loaders import JSONFileLoader, Loader


class WithoutDocumentation(JSONFileLoader):
    """Reads a file of botocore's."""

    def load_file(self, file_path: str) -> Any:
        """What the file says, or None if there is none."""
        return without_documentation(super().load_file(file_path))


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
